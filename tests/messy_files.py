"""Small files like those that people have: exports, logs and extracts, with the right reading.

Each function returns the text of a file, the target, and what each column has to be: its numbers,
dates or text, with NaN, NaT or None where a value is missing.
"""

from typing import Any, NamedTuple

import numpy as np

N = 60


class Messy(NamedTuple):
    """A file, its target with the right values, and the right values of the other columns."""

    text: str
    target: str
    y: Any
    columns: dict[str, Any]


def rows(*columns: Any, delimiter: str = ",") -> list[str]:
    return [delimiter.join(map(str, cells)) for cells in zip(*columns, strict=True)]


def text(values: Any) -> Any:
    return np.array(values, dtype=object)


def grouped(value: float, thousands: str = ",", decimal: str = ".", digits: int = 0) -> str:
    shown = f"{value:,.{digits}f}"
    return shown.replace(",", "\0").replace(".", decimal).replace("\0", thousands)


def indian(value: int) -> str:
    head, tail = str(value)[:-3], str(value)[-3:]
    groups = []
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    return ",".join([*groups, tail])


def ledger() -> Messy:
    """A German ledger: titles, decimal commas, points for thousands, a trailing minus."""
    rng = np.random.default_rng(1)
    amount = np.round(rng.normal(0, 4000, N), 2)
    pieces = rng.integers(100, 9000, N)
    days = np.datetime64("2023-01-02") + np.sort(rng.integers(0, 700, N))
    account = rng.choice(["0420", "1200", "8400"], N)
    total = np.round(2 * amount + pieces + rng.normal(0, 10, N), 2)
    said = [grouped(abs(v), ".", ",", 2) + ("-" if v < 0 else "") for v in amount]
    dates = [f"{str(d)[8:]}.{str(d)[5:7]}.{str(d)[:4]}" for d in days]
    body = rows(
        dates,
        account,
        said,
        [grouped(v, ".", ",") for v in pieces],
        [grouped(v, ".", ",", 2) + " €" for v in total],
        delimiter=";",
    )
    head = ["Buchungsjournal;;;;", "Mandant 12;;;;", "Datum;Konto;Betrag;Stück;Summe"]
    return Messy(
        "\n".join([*head, *body]),
        "Summe",
        total,
        {
            "Datum": days,
            "Konto": text(account),
            "Betrag": amount,
            "Stück": pieces.astype(float),
        },
    )


def accounting() -> Messy:
    """An American export: dollars, parentheses for losses, quoted commas, dashes for nothing."""
    rng = np.random.default_rng(2)
    revenue, profit = rng.integers(900, 90_000, N), rng.integers(-9000, 9000, N)
    margin = np.round(rng.uniform(-20, 60, N), 1)
    region = rng.choice(["North", "South"], N)
    said = [f"({abs(v):,})" if v < 0 else f"{v:,}" for v in profit]
    known = np.arange(N) % 3 > 0
    body = rows(
        [f'"${v:,}"' for v in revenue],
        [f"{v}%" if k else "-" for v, k in zip(margin, known, strict=True)],
        region,
        [f'"{v}"' for v in said],
    )
    return Messy(
        "\n".join(["Revenue,Margin,Region,Profit", *body]),
        "Profit",
        profit.astype(float),
        {
            "Revenue": revenue.astype(float),
            "Margin": np.where(known, margin, np.nan),
            "Region": text(region),
        },
    )


def survey() -> Messy:
    """A survey as some platforms export it: names, questions, ids of imports; refusals."""
    rng = np.random.default_rng(3)
    age, hours = rng.integers(18, 80, N).astype(float), np.round(rng.gamma(2, 4, N), 1)
    answer = rng.choice(["Agree", "Disagree", "n/a"], N)
    score = np.round(0.3 * age + hours + rng.normal(0, 1, N), 2)
    refused = np.arange(N) % 4 == 0
    response = [f"R_{k:04d}x{k * 7919 % 997}" for k in range(N)]
    body = rows(
        response,
        ["refused" if gone else f"{a:.0f}" for a, gone in zip(age, refused, strict=True)],
        hours,
        answer,
        score,
    )
    head = [
        "ResponseId,Q1,Q2,Q3,Score",
        'Response ID,"How old are you?","Hours a week, on average?","I like it","Total score"',
        "{ImportId:_recordId},{ImportId:QID1},{ImportId:QID2},{ImportId:QID3},{ImportId:SC}",
    ]
    return Messy(
        "\n".join([*head, *body]),
        "Score",
        score,
        {
            "ResponseId": text(response),
            "Q1": np.where(refused, np.nan, age),
            "Q2": hours,
            "Q3": text([None if each == "n/a" else each for each in answer]),
        },
    )


def sensors() -> Messy:
    """A log of sensors: comments, ISO times with a zone, -200 where a sensor was silent."""
    rng = np.random.default_rng(4)
    times = np.datetime64("2024-03-01T00:00:00") + np.arange(N) * np.timedelta64(5, "h")
    heat, gas = np.round(rng.normal(15, 5, N), 1), np.round(rng.normal(1000, 150, N))
    heat[::9], gas[::7] = -200, -200
    flow = np.round(rng.uniform(1, 9, N), 3)
    load = np.round(3 * flow + rng.normal(0, 0.1, N), 2)
    body = rows([f"{t}Z" for t in times], heat, gas.astype(int), flow, load)
    body.insert(30, "# restarted by hand")
    head = ["# station 7, Ulm", "# unit: see manual", "time,heat,gas,flow,load"]
    return Messy(
        "\n".join([*head, *body]),
        "load",
        load,
        {"time": times, "heat": heat, "gas": gas, "flow": flow},
    )


def register() -> Messy:
    """An extract of a register: ids, county codes, dates of birth, classes as the target."""
    rng = np.random.default_rng(5)
    person = rng.permutation(10**6)[:N] + 10**6
    fips = rng.choice(["01001", "06037", "36061"], N)
    born = np.datetime64("1940-01-01") + rng.integers(0, 25_000, N)
    weight = np.round(rng.normal(75, 12, N), 1)
    known = np.arange(N) % 5 > 0
    outcome = np.where(weight > 75, "ill", "well")
    dates = [f"{str(d)[5:7]}/{str(d)[8:]}/{str(d)[:4]}" for d in born]
    body = rows(
        person,
        fips,
        dates,
        [f"{w} kg" if k else "**" for w, k in zip(weight, known, strict=True)],
        outcome,
    )
    return Messy(
        "\n".join(["person_id,county_fips,born,weight,outcome", *body]),
        "outcome",
        outcome,
        {
            "person_id": person.astype(float),
            "county_fips": text(fips),
            "born": born,
            "weight": np.where(known, weight, np.nan),
        },
    )


def crore() -> Messy:
    """Indian prices in lakhs and crores of rupees, and areas with a unit."""
    rng = np.random.default_rng(6)
    price = rng.integers(200_000, 30_000_000, N)
    area = np.round(price / 1e4 + rng.normal(0, 10, N))
    city = rng.choice(["Pune", "Delhi", "Kochi"], N)
    body = rows([f'"₹{indian(v)}"' for v in price], [f'"{v:,.0f} sq ft"' for v in area], city)
    return Messy(
        "\n".join(["Price,Area,City", *body]),
        "Price",
        price.astype(float),
        {"Area": area, "City": text(city)},
    )


def swiss() -> Messy:
    """Apostrophes and thin spaces for thousands, a printed minus, tabs between fields."""
    rng = np.random.default_rng(7)
    rent, change = rng.integers(800, 9000, N), np.round(rng.normal(0, 3, N), 1)
    people = rng.integers(500, 2_000_000, N)
    income = np.round(30.0 * rent + rng.normal(0, 500, N))
    body = rows(
        [grouped(v, "’") for v in rent],
        [f"{v}".replace("-", "\u2212") for v in change],
        [grouped(v, "\u202f") for v in people],
        [f"CHF {grouped(v, chr(39))}" for v in income],
        delimiter="\t",
    )
    return Messy(
        "\n".join(["rent\tchange\tpeople\tincome", *body]),
        "income",
        income,
        {"rent": rent.astype(float), "change": change, "people": people.astype(float)},
    )


def turnout() -> Messy:
    """Shares in percent as the target, a dot for what is not known, years beside counts."""
    rng = np.random.default_rng(8)
    year, voters = rng.integers(1990, 2024, N), rng.integers(1000, 99_999, N)
    share = np.round(40 + (year - 1990) * 0.5 + rng.normal(0, 2, N), 2)
    known = np.arange(N) % 6 > 0
    body = rows(
        year,
        [f'"{v:,}"' for v in voters],
        [f"{v}%" if k else "." for v, k in zip(share, known, strict=True)],
    )
    return Messy(
        "\n".join(["year,voters,turnout", *body]),
        "turnout",
        np.where(known, share, np.nan),
        {"year": year.astype(float), "voters": voters.astype(float)},
    )


def spreadsheet() -> Messy:
    """A sheet with headings over its names, and a line that says what separates its fields."""
    rng = np.random.default_rng(9)
    a, b, c = (np.round(rng.normal(50, 9, N), 1) for _ in range(3))
    y = np.round(a - b + rng.normal(0, 1, N), 1)

    def said(values):
        return [str(v).replace(".", ",") for v in values]

    body = rows([f"shop {k % 4}" for k in range(N)], *map(said, (a, b, c, y)), delimiter=";")
    head = ["sep=;", ";Sales;;Costs;", "shop;north;south;north;south"]
    return Messy(
        "\ufeff" + "\r\n".join([*head, *body, ""]),
        "Costs south",
        y,
        {
            "shop": text([f"shop {k % 4}" for k in range(N)]),
            "Sales north": a,
            "Sales south": b,
            "Costs north": c,
        },
    )


def units() -> Messy:
    """A line of units below the names, as instruments write it."""
    rng = np.random.default_rng(10)
    speed, torque = np.round(rng.uniform(500, 3000, N)), np.round(rng.uniform(5, 90, N), 2)
    power = np.round(speed * torque / 9550, 3)
    body = rows(range(1, N + 1), speed.astype(int), torque, power, delimiter="\t")
    return Messy(
        "\n".join(["run\tspeed\ttorque\tpower", "\t1/min\tNm\tkW", *body]),
        "power",
        power,
        {"run": np.arange(1.0, N + 1), "speed": speed, "torque": torque},
    )


def joined() -> Messy:
    """Several exports one below another, each with its header; one mistyped number; hours."""
    rng = np.random.default_rng(11)
    size = np.round(rng.normal(100, 20, N), 2)
    minute = rng.integers(0, 24 * 60, N)
    y = np.round(size / 10 + rng.normal(0, 1, N), 2)
    cells = [str(v) for v in size]
    cells[7] = "1o3.5"
    body = rows([f"{m // 60:02d}:{m % 60:02d}" for m in minute], cells, y)
    header = "start,size,result"
    known = size.copy()
    known[7] = np.nan
    return Messy(
        "\n".join([header, *body[:20], header, *body[20:40], header, *body[40:]]),
        "result",
        y,
        {"start": minute / 60, "size": known},
    )


def r_output() -> Messy:
    """What R's write.table writes: names of rows without a name above them, spaces quoted, NA."""
    rng = np.random.default_rng(12)
    x, z = np.round(rng.normal(size=N), 4), rng.choice(["a b", "c"], N)
    y = np.round(x + (z == "c") + rng.normal(0, 0.1, N), 4)
    known = np.arange(N) % 7 > 0
    body = rows(
        [f'"{k}"' for k in range(1, N + 1)],
        [v if k else "NA" for v, k in zip(x, known, strict=True)],
        [f'"{v}"' for v in z],
        y,
    )
    return Messy(
        "\n".join(['"x","z","y"', *body]),
        "y",
        y,
        {"column 1": np.arange(1.0, N + 1), "x": np.where(known, x, np.nan), "z": text(z)},
    )


FILES = {
    make.__name__: make
    for make in (
        ledger,
        accounting,
        survey,
        sensors,
        register,
        crore,
        swiss,
        turnout,
        spreadsheet,
        units,
        joined,
        r_output,
    )
}
