"""What a page says of relaxed fits."""

import re

from sklearn.datasets import load_diabetes

import skreg


def test_a_page_tells_the_share_and_what_it_is_of(tmp_path):
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    models = [skreg.LassoCV(relax=[0.0, 0.5]), skreg.Lasso(alpha=0.5, relax=0.25), skreg.Lasso()]
    page = tmp_path / "page.html"
    skreg.report(models, X, y, path=page)
    text = page.read_text(encoding="utf-8")
    assert text.count("It is relaxed:") == 2
    shares = re.findall(r"<dt>γ in use: share of the penalised fit</dt><dd>(.*?)</dd>", text)
    assert "0.25" in shares
    assert len(shares) == 2
    assert "Each share γ of the penalised fit has a curve" in text
