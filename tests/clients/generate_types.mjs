// Types of the whole schema and typed documents of all examples, by graphql-codegen: node generate_types.mjs SDL FOLDER OUT
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { codegen } from "@graphql-codegen/core";
import * as typed from "@graphql-codegen/typed-document-node";
import * as typescript from "@graphql-codegen/typescript";
import * as operations from "@graphql-codegen/typescript-operations";
import { parse } from "graphql";

const [sdl, folder, out] = process.argv.slice(2);
const documents = readdirSync(folder).filter(name => name.endsWith(".graphql"))
  .map(name => ({ location: name, document: parse(readFileSync(`${folder}/${name}`, "utf8")) }));
const common = { schema: parse(readFileSync(sdl, "utf8")), config: { scalars: { Date: "string", DateTime: "string" }, useTypeImports: true } };
const write = async (filename, plugins, given) => writeFileSync(`${out}/${filename}`, await codegen({
  ...common, filename, documents: given, plugins: Object.keys(plugins).map(name => ({ [name]: {} })), pluginMap: plugins,
}));
await write("schema.ts", { typescript }, []);
await write("documents.ts", { operations, typed }, documents);
console.log(documents.length);
