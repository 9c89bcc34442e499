// Who may import whom in src/, and what may stand there. Imports are read with
// the compiler's own parser, so that no way of writing one is missed.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

const src = fileURLToPath(new URL("../src", import.meta.url));
const repository = join(src, "../..");

/** Folders whose modules a module of a folder may import. Files beside the folders wire all together. */
const arrows: Record<string, string[]> = {
  lib: ["lib"],
  domain: ["domain", "lib"],
  components: ["components", "lib"],
  api: ["api", "lib"],
  live: ["live", "api", "lib"],
  pages: ["pages", "live", "components", "domain", "api", "lib"],
  ".": [".", "pages", "live", "components", "domain", "api", "lib"],
};
/** Folders of which only types may be imported. */
const types: Record<string, string[]> = { domain: ["api"] };
/** Folders that use no library: what is in them can be read and tested alone. */
const alone = ["lib", "domain"];

/** Longest file, in lines. */
const longest = 300;
/** Made by `npm run types` from the OpenAPI document, with its examples and at its length. */
const generated = "api/schema.d.ts";

interface Source {
  path: string;
  text: string;
}

const sources: Source[] = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((path) => /\.(tsx?|css)$/.test(path) && !/\.test\.tsx?$/.test(path) && path !== generated)
  .map((path) => ({ path, text: readFileSync(join(src, path), "utf8") }));

/** The first folder of a path, or "." for a file beside the folders. */
const folderOf = (path: string) => (path.includes("/") ? (path.split("/")[0] as string) : ".");

interface Import {
  specifier: string;
  /** Nothing of it is left after the build. */
  typeOnly: boolean;
}

/** Everything that a module imports, re-exports or loads later. */
function importsOf({ path, text }: Source): Import[] {
  const found: Import[] = [];
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false, ts.ScriptKind.TSX);
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const named = node.importClause?.namedBindings;
      const each = named && ts.isNamedImports(named) ? named.elements : undefined;
      const typeOnly =
        node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
        (!node.importClause?.name && each !== undefined && each.length > 0 && each.every((e) => e.isTypeOnly));
      found.push({ specifier: node.moduleSpecifier.text, typeOnly });
    }
    if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      found.push({ specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly });
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      found.push({ specifier: argument && ts.isStringLiteral(argument) ? argument.text : "?", typeOnly: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

test("imports follow the arrows", () => {
  const wrong = sources
    .filter(({ path }) => !path.endsWith(".css"))
    .flatMap((source) => {
      const from = folderOf(source.path);
      return importsOf(source).flatMap(({ specifier, typeOnly }) => {
        if (!specifier.startsWith(".")) return alone.includes(from) ? [`${source.path} imports ${specifier}`] : [];
        const to = folderOf(relative(src, join(src, dirname(source.path), specifier)));
        const allowed = arrows[from]?.includes(to) || (typeOnly && types[from]?.includes(to));
        return allowed ? [] : [`${source.path} imports ${specifier}`];
      });
    });
  expect(wrong).toEqual([]);
});

test(`no file has more than ${longest} lines`, () => {
  const long = sources.filter(({ text }) => text.trimEnd().split("\n").length > longest);
  expect(long.map(({ path }) => path)).toEqual([]);
});

test("no technology or target is known by its name: the page reads facts", () => {
  const names = ["technology", "target"].flatMap((kind) =>
    readdirSync(join(repository, kind), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "all" && !entry.name.endsWith("test"))
      .map((entry) => entry.name),
  );
  expect(names.length).toBeGreaterThan(2);
  const word = new RegExp(`\\b(${names.join("|")})\\b`, "gi");
  const named = sources.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, i) => (line.match(word) ?? []).map((name) => `${path}:${i + 1} names ${name}`)),
  );
  expect(named).toEqual([]);
});
