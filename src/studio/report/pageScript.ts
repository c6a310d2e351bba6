/**
 * Draws every chart of the page with Plotly, in the colours of the theme that is on, and again when the theme changes or the page
 * goes to paper. Figures name their colours by token: `token(ink)`.
 */
export const PAGE_SCRIPT = `
"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const root = document.documentElement;
  const config = { displayModeBar: false, responsive: true, doubleClick: false, showTips: false };
  const inTheme = (value, style) => {
    if (typeof value === "string") {
      const name = /^token\\(([a-z0-9-]+)\\)$/.exec(value);
      return name ? style.getPropertyValue("--" + name[1]).trim() : value;
    }
    if (Array.isArray(value)) return value.map((one) => inTheme(one, style));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inTheme(one, style)]));
  };
  const hover = {
    bgcolor: "token(raised)",
    bordercolor: "token(rule-strong)",
    font: { family: "token(font-ui)", size: 12, color: "token(ink)" },
    align: "left",
    namelength: 0,
  };
  const draw = () => {
    const style = getComputedStyle(root);
    for (const chart of document.querySelectorAll(".chart")) {
      const { traces, layout } = figures[Number(chart.dataset.figure)];
      const said = traces.map((trace) => (trace.hovertext ? { ...trace, hoverinfo: "text" } : trace));
      Plotly.react(chart, inTheme(said, style), inTheme({ ...layout, hoverlabel: hover }, style), config);
    }
  };
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  addEventListener("beforeprint", () => { root.dataset.print = ""; draw(); });
  addEventListener("afterprint", () => { delete root.dataset.print; draw(); });
})();
`;
