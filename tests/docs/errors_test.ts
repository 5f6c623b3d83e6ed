/** The table of messages in docs/errors.md against those of the source. */

import { assert, assertEquals } from "@std/assert";
import { ROOT, SOURCES } from "../_sources.ts";

const FILE = "docs/errors.md";
/** Stands for what differs from one error to the next. */
const VARYING = "\u2026";
const ERRORS = ["Error", "TypeError", "RangeError"];

/** A message that the module makes. */
interface Message {
  /** The text, with `…` for what varies. */
  pattern: string;
  /** Where it is made, such as `"session/dict.ts:12"`. */
  where: string;
}

/** A row of the table. */
interface Row {
  pattern: string;
  cause: string;
  mend: string;
}

/** What a source file throws, logs, or answers to whom it refuses. */
function messagesIn([path, text]: [path: string, text: string]): Message[] {
  const messages: Message[] = [];
  const create = ({ sourceCode }: Deno.lint.RuleContext) => {
    const functions = sourceCode.ast.body.filter((node) =>
      node.type === "FunctionDeclaration"
    );
    const add = (node: Deno.lint.Node | undefined) => {
      assert(node !== undefined, `${path}: an error has no message`);
      const line = text.slice(0, node.range[0]).split("\n").length;
      const where = `${path}:${line}`;
      for (const pattern of patternsOf(node, functions)) {
        messages.push({ pattern: pattern.replace(/\u2026+/g, VARYING), where });
      }
    };
    const visitor: Deno.lint.LintVisitor = {
      NewExpression({ callee, arguments: [message] }) {
        if (ERRORS.includes(sourceCode.getText(callee))) add(message);
      },
      CallExpression({ callee, arguments: [first, second, third] }) {
        const name = sourceCode.getText(callee);
        const isText = first?.type === "Literal" ||
          first?.type === "TemplateLiteral";
        if (name === "console.error" && isText) add(first);
        // The answer to a request that is refused with this status.
        const isAnswer = name === "refuse" && second?.type === "Literal" &&
          typeof second.value === "number";
        if (isAnswer) add(third);
      },
    };
    return visitor;
  };
  Deno.lint.runPlugin({ name: "m", rules: { m: { create } } }, path, text);
  return messages;
}

/** The texts that an expression may come to. */
function patternsOf(
  node: Deno.lint.Node,
  functions: Deno.lint.FunctionDeclaration[],
): string[] {
  switch (node.type) {
    case "Literal":
      return [String(node.value)];
    case "TemplateLiteral":
      return [node.quasis.map(({ cooked }) => cooked).join(VARYING)];
    case "BinaryExpression": {
      const [left, right] = [node.left, node.right]
        .map((side) => patternsOf(side, functions));
      return left.flatMap((text) => right.map((more) => text + more));
    }
    case "ConditionalExpression":
      return [node.consequent, node.alternate]
        .flatMap((branch) => patternsOf(branch, functions));
    case "CallExpression": {
      // A function of the same file that returns the message.
      const { callee } = node;
      const made = functions.find(({ id }) =>
        callee.type === "Identifier" && id?.name === callee.name
      );
      const returned = made?.body?.body.at(-1);
      if (returned?.type === "ReturnStatement" && returned.argument) {
        return patternsOf(returned.argument, functions);
      }
    }
  }
  return [VARYING];
}

function rowsIn(text: string): Row[] {
  const lines = text.split("\n").filter((line) => line.startsWith("|"));
  return lines.flatMap((line) => {
    const [first, cause, mend] = line.replace(/^\|\s*|\s*\|$/g, "")
      .split(/\s*(?<!\\)\|\s*/);
    const code = /^(`+) ?(.+?) ?\1$/.exec(first)?.[2];
    // The head of a table, and the line below it, have none.
    return code === undefined
      ? []
      : [{ pattern: code.replaceAll("\\|", "|"), cause, mend }];
  });
}

const messages = [...SOURCES].flatMap(messagesIn);
const rows = rowsIn(Deno.readTextFileSync(new URL(FILE, ROOT)));

Deno.test("each message of the source can be told", () => {
  const wrong = messages.filter(({ pattern }) =>
    !/[a-z]{3}/.test(pattern) || pattern.endsWith(".")
  );
  assertEquals(wrong, []);
  // Where none are found, none can be missing.
  assert(messages.length > 40, `only ${messages.length} messages`);
});

Deno.test(`${FILE} has a row for each message of the source`, () => {
  const missing = messages.filter((message) =>
    !rows.some(({ pattern }) => pattern === message.pattern)
  );
  assertEquals(missing, []);
});

Deno.test(`${FILE} has no row for what is no message of the source`, () => {
  const wrong = rows.map(({ pattern }) => pattern).filter((pattern) =>
    !messages.some((message) => message.pattern === pattern)
  );
  assertEquals(wrong, []);
});

Deno.test(`${FILE} tells the cause and the mend of each message, once`, () => {
  const wrong = rows.filter(({ pattern, cause, mend }, index) =>
    !cause || !mend ||
    rows.findIndex((row) => row.pattern === pattern) !== index
  );
  assertEquals(wrong, []);
});
