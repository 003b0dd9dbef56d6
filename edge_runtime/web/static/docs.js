// The API's description as a page, made of /openapi.json: no library, so it works offline.

import { $, element } from "./element.js";

const name = (ref) => ref.split("/").pop();

function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return name(schema.$ref);
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.prefixItems) return `[${schema.prefixItems.map(typeOf).join(", ")}]`;
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  if (schema.additionalProperties) return `text to ${typeOf(schema.additionalProperties)}`;
  return schema.type ?? "any";
}

function table(heads, rows) {
  const cells = (row) => row.map((cell) => element("td", "", cell));
  const head = element("tr", "", ...heads.map((word) => element("th", "", word)));
  const body = rows.map((row) => element("tr", "", ...cells(row)));
  const made = element("table", "", element("thead", "", head), element("tbody", "", ...body));
  return element("div", "scroll", made);
}

function answers(responses) {
  return Object.entries(responses).map(([status, { description, content }]) => {
    const [[media, body]] = Object.entries(content ?? { "": {} });
    return [status, media, typeOf(body?.schema), description];
  });
}

function operation(path, method, { summary, description, responses }) {
  const card = element("section", "card", element("h2", "", `${method.toUpperCase()} ${path}`));
  card.append(element("p", "", element("b", "", summary)), element("p", "", description ?? ""));
  card.append(table(["Status", "Type", "Body", "Meaning"], answers(responses)));
  return card;
}

function model(title, { description, properties }) {
  const rows = Object.entries(properties ?? {}).map(([field, schema]) => [
    element("code", "", field),
    typeOf(schema),
    schema.description ?? "",
  ]);
  const card = element("section", "card", element("h2", "", title));
  card.append(element("p", "", description ?? ""), table(["Field", "Type", "Meaning"], rows));
  return card;
}

function draw(api) {
  const paths = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, about]) => operation(path, method, about)),
  );
  const models = Object.entries(api.components.schemas).map(([title, schema]) => model(title, schema));
  const title = element("h1", "", `API of ${api.info.title} ${api.info.version}`);
  $("api").replaceChildren(title, element("p", "", api.info.description), ...paths, ...models);
}

fetch("/openapi.json")
  .then((answer) => answer.json())
  .then(draw)
  .catch((error) => $("api").replaceChildren(element("p", "", `No description: ${error.message}`)));
