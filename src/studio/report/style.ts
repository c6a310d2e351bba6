import { FONTS, TOKENS } from "./tokens.ts";

const declare = (tokens: Readonly<Record<string, string>>): string =>
  Object.entries(tokens)
    .map(([name, value]) => `--${name}:${value};`)
    .join("");

/** The report's style sheet: the tokens of both themes, light on paper whatever the screen's theme. */
export const STYLE = `
:root{color-scheme:light;${declare(FONTS)}${declare(TOKENS.light)}}
@media screen and (prefers-color-scheme:dark){:root:not([data-print]){color-scheme:dark;${declare(TOKENS.dark)}}}
*{box-sizing:border-box}
html{scroll-padding-top:16px}
body{margin:0;background:var(--pane);color:var(--ink);font:14px/22px var(--font-ui);overflow-wrap:break-word}
main{max-width:960px;margin:0 auto;padding:40px 24px 64px}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px}
.brand{display:flex;align-items:center;gap:8px;color:var(--ink-3);font-size:12px;line-height:16px}
.brand svg{width:14px;height:14px;flex:none}
h1{font-size:28px;line-height:36px;font-weight:600;margin:16px 0 0;text-wrap:balance}
h2{font-size:20px;line-height:28px;font-weight:600;margin:4px 0 12px;text-wrap:pretty}
h3{font-size:14px;line-height:20px;font-weight:600;margin:32px 0 4px}
p{margin:0 0 12px;max-width:76ch}
a{color:inherit;text-underline-offset:3px;text-decoration-color:var(--control)}
ul{margin:0 0 12px;padding-left:20px;max-width:78ch}
li{margin:0 0 6px}
.label{color:var(--ink-3);font-size:12px;line-height:16px}
.findings{list-style:none;margin:24px 0 0;padding:0;border-top:1px solid var(--rule-strong);max-width:none}
.findings li{margin:0;padding:10px 0;border-bottom:1px solid var(--rule)}
.findings a{display:block;text-decoration:none}
.findings a:hover .said{text-decoration:underline}
.findings .said{display:block;font-weight:600}
section{margin-top:48px;padding-top:24px;border-top:1px solid var(--rule-strong)}
.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 24px;margin:0 0 16px;font-size:13px;line-height:20px}
.facts dt{color:var(--ink-3)}
.facts dd{margin:0;overflow-wrap:anywhere}
figure{margin:32px 0 0;break-inside:avoid}
figcaption{margin:0 0 4px}
figcaption b{display:block;font-weight:600}
figcaption span{color:var(--ink-2);font-size:13px;line-height:18px;display:block;max-width:84ch}
.chart{width:100%;overflow:hidden}
.scroll{overflow:auto;max-height:560px;margin:0 0 12px}
figure+.scroll{margin-top:12px}
table{border-collapse:separate;border-spacing:0;min-width:100%;font-size:12px;line-height:16px;font-variant-numeric:tabular-nums}
th{position:sticky;top:0;background:var(--pane);color:var(--ink-3);font-weight:400;text-align:left;vertical-align:bottom;padding:6px 8px;border-bottom:1px solid var(--rule-strong)}
td{padding:6px 8px;border-bottom:1px solid var(--rule);vertical-align:top}
th:first-child,td:first-child{padding-left:0}
th:last-child,td:last-child{padding-right:0}
.n{text-align:right}
td.n{white-space:nowrap}
td.w{min-width:12em}
tr.best td{font-weight:600;background:var(--select)}
tr.failed td{background:var(--err-tint)}
details{margin:8px 0 0}
summary{cursor:pointer;color:var(--ink-2);font-size:12px;line-height:24px;width:max-content;max-width:100%}
pre{margin:8px 0 0;padding:12px 16px;background:var(--sunken);border-radius:4px;font:12px/18px var(--font-mono);overflow:auto;max-height:420px;white-space:pre-wrap;overflow-wrap:anywhere}
footer{margin-top:64px;padding-top:12px;border-top:1px solid var(--rule);color:var(--ink-3);font-size:12px;line-height:18px}
@media (max-width:600px){main{padding:24px 16px 48px}h1{font-size:22px;line-height:28px}.facts{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:8px}}
@media print{main{max-width:none;padding:0}.scroll,pre{max-height:none;overflow:visible}section{break-inside:auto}h2,h3{break-after:avoid}th{position:static}tr{break-inside:avoid}}
`;
