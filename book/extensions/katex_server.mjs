// Renders one equation per line: {"tex", "display"} in, {"html"} or {"error"} out, as JSON.
import { createInterface } from "node:readline";
import katex from "katex";

const options = {
  output: "htmlAndMathml",
  throwOnError: true,
  // Warnings of KaTeX (unknown characters, text-mode commands in math) are mistakes on a page.
  strict: "error",
  trust: (context) => context.command === "\\htmlData" || context.command === "\\htmlClass",
};
// "html extension" is the one strictness rule that our own symbol classes break on purpose.
const strict = (code) => (code === "htmlExtension" ? "ignore" : "error");

for await (const line of createInterface({ input: process.stdin })) {
  const { tex, display } = JSON.parse(line);
  let reply;
  try {
    reply = { html: katex.renderToString(tex, { ...options, strict, displayMode: display }) };
  } catch (error) {
    reply = { error: String(error.message ?? error) };
  }
  process.stdout.write(JSON.stringify(reply) + "\n");
}
