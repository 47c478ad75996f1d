// Saves what the page shows: tables as CSV, plots as PNG, and the whole page on paper.

const PNG_SCALE = 3

function download(name, href) {
  const link = document.createElement("a")
  link.href = href
  link.download = `${document.title.replace(/ · posetrack$/, "").replace(/[^\p{L}\p{N}]+/gu, "-")}-${name}`
  link.click()
}

function saveCsv(name, rows) {
  const quoted = (cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)
  const text = rows.map((row) => row.map(quoted).join(",") + "\r\n").join("")
  download(`${name}.csv`, `data:text/csv;charset=utf-8,${encodeURIComponent(text)}`)
}

function saveTable(name) {
  const rows = [...document.getElementById(`table-${name}`).rows]
  saveCsv(
    name,
    rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim())),
  )
}

// The values of a person over time; rows without a frame only interrupt lines.
function saveSeries(person) {
  const { t, frame, ...others } = person.series
  const names = Object.keys(others)
  const cell = (value) => (Number.isNaN(value) ? "" : String(Number(value.toPrecision(6))))
  const rows = [["time_s", "frame", ...names]]
  for (let i = 0; i < t.length; i++) {
    if (!Number.isNaN(frame[i])) rows.push([cell(t[i]), cell(frame[i]), ...names.map((name) => cell(others[name][i]))])
  }
  saveCsv(`person-${person.id}`, rows)
}

// A plot as the text of an SVG, drawn by Bokeh from its present data and colours.
const vector = (view) => view.export("svg").ctx.get_serialized_svg(true)

// An SVG with its colours exchanged: pairs of #rrggbb, which Bokeh and browsers also write as rgb().
function recolored(svg, pairs) {
  const rgb = (color) => `rgb(${color.match(/[0-9a-f]{2}/g).map((part) => Number.parseInt(part, 16))})`
  const exchange = new Map(pairs.flatMap(([from, to]) => [[from, to], [rgb(from), to]]))
  return svg.replace(/"(#[0-9a-f]{6}|rgb\([\d, ]+\))"/g, (all, color) => `"${exchange.get(color.replaceAll(" ", "")) ?? color}"`)
}

async function savePng(name, svg) {
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`
  await image.decode()
  const canvas = document.createElement("canvas")
  canvas.width = PNG_SCALE * image.width
  canvas.height = PNG_SCALE * image.height
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height)
  download(`${name}.png`, canvas.toDataURL("image/png"))
}

// An SVG on white with a title above and a legend below, which on the page are not parts of the plot.
function titled(svg, title, legend) {
  const plot = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement
  const part = (name, attributes, text = "") => {
    const element = document.createElementNS(plot.namespaceURI, name)
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
    element.textContent = text
    return element
  }
  const [width, height] = ["width", "height"].map((name) => Number.parseFloat(plot.getAttribute(name)))
  const wide = Math.max(width, 7.5 * title.length + 16)
  const high = height + (legend ? 52 : 28)
  const all = part("svg", { width: wide, height: high, "font-family": "system-ui, sans-serif" })
  plot.setAttribute("y", 28)
  all.append(part("rect", { width: "100%", height: "100%", fill: "white" }))
  all.append(part("text", { x: 8, y: 18, "font-size": 13, "font-weight": 600 }, title), plot)
  let x = 8
  for (const item of legend?.querySelectorAll("span") ?? []) {
    const sample = item.querySelector("i")
    const y = height + 40
    if (sample) {
      const { offsetWidth, offsetHeight } = sample
      const fill = getComputedStyle(sample).backgroundColor
      all.append(part("rect", { x, y: y - offsetHeight / 2, width: offsetWidth, height: offsetHeight, fill }))
      x += offsetWidth + 6
    }
    all.append(part("text", { x, y: y + 4, "font-size": 12 }, item.textContent))
    x += 7 * item.textContent.length + 14
  }
  return new XMLSerializer().serializeToString(all)
}

// Paper is white, shows every plot as vectors and the video as its present frame.
function toPaper(vectors) {
  document.documentElement.classList.add("paper")
  for (const [name, text] of Object.entries(vectors)) {
    const copy = document.createElement("div")
    copy.className = "vector"
    copy.innerHTML = text
    const svg = copy.firstElementChild
    svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${svg.getAttribute("height")}`)
    document.getElementById(`plot-${name}`).after(copy)
  }
  const [video, snapshot] = ["video", "snapshot"].map((id) => document.getElementById(id))
  if (!video) return
  snapshot.width = video.videoWidth
  snapshot.height = video.videoHeight
  snapshot.getContext("2d").drawImage(video, 0, 0)
}

function toScreen() {
  document.documentElement.classList.remove("paper")
  for (const copy of document.querySelectorAll(".vector")) copy.remove()
}
