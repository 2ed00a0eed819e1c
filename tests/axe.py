"""What axe-core, the accessibility engine, finds on a page as it stands.

The engine comes with its Python package (pinned by hash, never served to anybody). The browser's
own debugging channel evaluates it, which the page's content security policy does not forbid: so
pages are judged under the policy that they are served with.
"""

from importlib.resources import files

from playwright.sync_api import Page

ENGINE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
SETTLE = """() => {
  for (const animation of document.getAnimations()) {
    if (Number.isFinite(animation.effect.getComputedTiming().endTime)) animation.finish();
  }
}"""
"""A text that is just fading in is too faint for a moment; what never ends stays as it is."""

RUN = """async () => {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await axe.run(document, {
    runOnly: {type: 'tag', values: tags},
    rules: {'target-size': {enabled: true}},
    resultTypes: ['violations'],
  });
  return found.violations.flatMap((rule) => rule.nodes.map(
    (node) => `${rule.id} (${rule.impact}) at ${node.target}: ${node.html.slice(0, 160)} `
      + `${node.failureSummary.replace(/\\s+/g, ' ')}`,
  ));
}"""


def violations(page: Page) -> list[str]:
    """Return one sentence for each element that breaks a rule of WCAG 2.2 AA or good practice."""
    if page.evaluate("() => typeof axe") == "undefined":
        page.evaluate(ENGINE)
    page.evaluate(SETTLE)
    found: list[str] = page.evaluate(RUN)
    return found
