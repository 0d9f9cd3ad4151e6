"use strict";
// Headings of a table become buttons that sort its rows: numbers from the largest, text from A.
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (head.classList.contains("unsorted")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const numeric = head.classList.contains("number");
      const before = head.getAttribute("aria-sort");
      const now =
        before === "none" ? (numeric ? "descending" : "ascending")
        : before === "descending" ? "ascending" : "descending";
      for (const other of heads) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", now);
      const sign = now === "ascending" ? 1 : -1;
      const order = new Intl.Collator(undefined, { numeric: true });
      const rows = [...body.rows].map((row) => {
        const cell = row.cells[column];
        return { row, key: numeric ? Number(cell.dataset.value) : cell.textContent };
      });
      rows.sort((a, b) => sign * (numeric ? a.key - b.key : order.compare(a.key, b.key)));
      body.append(...rows.map(({ row }) => row));
    });
  });
}
