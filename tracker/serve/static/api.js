// The page of the API: the routes of openapi.json, and two examples.
import { request } from "./request.js"

const EXAMPLES = {
  python: `import httpx

server = httpx.Client(base_url="${location.origin}")
with open("dance.mp4", "rb") as video:
    job = server.post("/api/jobs", params={"name": "dance.mp4"}, content=video).raise_for_status().json()
print(server.get(f"/api/jobs/{job['id']}").json()["state"])`,
  javascript: `const people = await fetch("${location.origin}/api/images", { method: "POST", body: file })
for (const person of (await people.json()).people) console.log(person.id, person.keypoints)`,
}

export async function start() {
  for (const [name, text] of Object.entries(EXAMPLES)) document.getElementById(`api-${name}`).textContent = text
  const place = document.getElementById("api-routes")
  if (place.children.length) return
  try {
    const { paths, components } = await request("/openapi.json")
    const groups = Object.groupBy(
      Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, route]) => ({ path, method, route }))),
      ({ route }) => route.tags?.[0] ?? "other",
    )
    place.replaceChildren(...Object.entries(groups).flatMap(([name, routes]) => [element("h2", title(name)), list(routes, components.schemas)]))
  } catch (error) {
    place.replaceChildren(element("p", error.message, "message"))
  }
}

export function stop() {}

function list(routes, schemas) {
  const made = element("dl", "", "routes")
  for (const { path, method, route } of routes) {
    const term = element("dt")
    term.append(element("code", `${method.toUpperCase()} ${path}`))
    const text = element("dd")
    text.append(...words(route.description ?? ""))
    for (const [name, description] of [...query(route), ...fields(route, schemas)]) {
      const line = element("div", "", "parameter")
      line.append(element("code", name), ` ${description}`)
      text.append(line)
    }
    const row = element("div")
    row.append(term, text)
    made.append(row)
  }
  return made
}

const query = ({ parameters = [] }) =>
  parameters.filter((each) => each.in === "query").map(({ name, description }) => [`?${name}`, description])

/** Return the fields of a body in JSON, and what each means. */
function fields({ requestBody }, schemas) {
  const name = requestBody?.content["application/json"]?.schema.$ref.split("/").at(-1)
  return Object.entries(schemas[name]?.properties ?? {}).map(([field, { description }]) => [field, description])
}

/** Return text with the words between backticks as code. */
function words(text) {
  return text.split("`").map((part, i) => (i % 2 ? element("code", part) : part))
}

const title = (text) => text[0].toUpperCase() + text.slice(1)

function element(tag, text = "", className = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className })
}
