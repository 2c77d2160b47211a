// Renders a summary as GitHub shows it: node render.mjs SUMMARY.md OUT.png light|dark WIDTH
import { readFileSync } from "node:fs";
import hljs from "highlight.js";
import { chromium } from "playwright-core";
import rehypeRaw from "rehype-raw";
import rehypeSanitize, { defaultSchema } from "rehype-sanitize";
import rehypeStringify from "rehype-stringify";
import remarkGfm from "remark-gfm";
import remarkParse from "remark-parse";
import remarkRehype from "remark-rehype";
import { unified } from "unified";

const [, , from, to, theme, width] = process.argv;

// What GitHub lets through (rehype-sanitize's default is made after it), code of a language and open details.
const schema = structuredClone(defaultSchema);
schema.attributes.details = ["open"];
schema.attributes.code = [["className", /^language-./]];

const text = (html) => html.replace(/&#x3C;|&lt;/g, "<").replace(/&#x3E;|&gt;/g, ">").replace(/&#x26;|&amp;/g, "&");
const html = String(
  await unified()
    .use(remarkParse).use(remarkGfm).use(remarkRehype, { allowDangerousHtml: true })
    .use(rehypeRaw).use(rehypeSanitize, schema).use(rehypeStringify)
    .process(readFileSync(from, "utf8")),
)
  .replace(/<pre><code class="language-mermaid">([\s\S]*?)<\/code><\/pre>/g, '<pre class="mermaid">$1</pre>')
  .replace(/(<pre><code class="language-diff">)([\s\S]*?)<\/code>/g, (_, tag, code) => tag + hljs.highlight(text(code), { language: "diff" }).value + "</code>");

const colours = {
  light: ["#fff", "#116329", "#dafbe1", "#82071e", "#ffebe9", "#0550ae"],
  dark: ["#0d1117", "#aff5b4", "#033a16", "#ffdcd7", "#67060c", "#79c0ff"],
}[theme];
const [back, added, addedBack, deleted, deletedBack, meta] = colours;
const css = `${readFileSync(`node_modules/github-markdown-css/github-markdown-${theme}.css`, "utf8")}
  body { margin: 0; background: ${back} }
  .markdown-body { padding: 16px 24px; font-family: "Liberation Sans", "Noto Color Emoji", sans-serif }
  .markdown-body pre.mermaid { background: ${back}; padding: 0 }
  .hljs-addition { color: ${added}; background: ${addedBack} }
  .hljs-deletion { color: ${deleted}; background: ${deletedBack} }
  .hljs-meta { color: ${meta} }`;

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: Number(width), height: 600 }, colorScheme: theme });
await page.setContent(`<!doctype html><meta charset="utf-8"><style>${css}</style><div class="markdown-body">${html}</div>`);
await page.addScriptTag({ path: "node_modules/mermaid/dist/mermaid.min.js" });
await page.evaluate(async (theme) => {
  mermaid.initialize({ startOnLoad: false, securityLevel: "strict", theme });
  await mermaid.run();
}, theme === "dark" ? "dark" : "default");
await page.screenshot({ path: to, fullPage: true });
await browser.close();
