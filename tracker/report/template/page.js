// Connects the video, the plots and the controls.
;(() => {
  const $ = (id) => document.getElementById(id)
  const data = JSON.parse($("data").textContent)
  const figures = JSON.parse($("figures").textContent)
  const video = $("video")
  const image = $("image")
  const slider = $("slider")
  const dark = matchMedia("(prefers-color-scheme: dark)")
  let plots // Bokeh's models by name
  let views // Bokeh's views of them
  let chosen = data.people[0]
  let point = data.point
  let now = data.start
  let waiting = false

  const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer)
  for (const person of data.people) {
    for (const [name, text] of Object.entries(person.series)) person.series[name] = floats(text)
  }
  const frames = data.frames
    ? floats(data.frames)
    : Float32Array.from(new Set(data.people.flatMap((person) => [...person.series.t]))).sort()
  const column = (person, name) => person.series[name] ?? new Float32Array(person.series.t.length).fill(NaN)
  const theme = () => (dark.matches ? "dark" : "light")
  const color = (person) => person.colors[theme()]
  const model = (name) => plots.get_model_by_name(name)
  const limit = (value, low, high) => Math.min(Math.max(value, low), high)

  // Time: the video's, or that of the slider where there are only images.

  function seek(time) {
    now = limit(time, data.start, data.end)
    if (video) {
      const i = nearest(frames, now)
      now = frames[i]
      const inside = 0.25 * ((frames[i + 1] ?? now) - now) // the start of a frame may round to the one before
      video.currentTime = Math.max(now - data.origin, 0) + inside
    }
    later()
  }

  function step(count) {
    video?.pause()
    seek(frames[limit(nearest(frames, now) + count, 0, frames.length - 1)])
  }

  function follow() {
    if (video.seeking) return
    const time = video.currentTime + data.origin
    const i = nearest(frames, time)
    now = frames[frames[i] > time + 1e-3 ? Math.max(i - 1, 0) : i]
    later()
    if (!video.paused) requestAnimationFrame(follow)
  }

  function later() {
    if (waiting) return
    waiting = true
    requestAnimationFrame(() => {
      waiting = false
      show()
    })
  }

  function show() {
    const times = chosen.series.t
    const row = nearest(times, now)
    const near = Math.abs(times[row] - now) < 0.5
    const frame = data.exact && near && chosen.series.frame ? ` · frame ${chosen.series.frame[row]}` : ""
    $("clock").textContent = `${clock(now)}${frame}`
    if (slider) slider.value = now
    if (image && data.times.length) image.src = data.images[nearest(data.times, now)]
    model("cursor").location = now
    keepInView()
    for (const plot of data.plots) {
      const values = plot.columns.map((name) => (near ? column(chosen, name)[row] : NaN))
      const sides = plot.columns.length > 1 ? ["L ", "R "] : [""]
      const text = values.map((value, i) => sides[i] + (Number.isNaN(value) ? "–" : value.toFixed(plot.decimals)))
      $(`at-${plot.name}`).textContent = text.join("  ")
    }
    const here = { x: [], y: [], color: [] }
    for (const person of data.people) {
      const i = nearest(person.series.t, now)
      const x = column(person, `${point}_x`)[i]
      if (Math.abs(person.series.t[i] - now) > 0.3 || Number.isNaN(x)) continue
      here.x.push(x)
      here.y.push(column(person, `${point}_y`)[i])
      here.color.push(person.colors.chip)
    }
    model("here").data = here
    document.documentElement.dataset.now = now.toFixed(3)
  }

  function nearest(times, time) {
    let low = 0
    let high = times.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (times[middle] < time) low = middle + 1
      else high = middle
    }
    return low > 0 && time - times[low - 1] < times[low] - time ? low - 1 : low
  }

  function clock(time) {
    const minutes = Math.floor(time / 60)
    return minutes ? `${minutes}:${(time - 60 * minutes).toFixed(2).padStart(5, "0")}` : `${time.toFixed(2)} s`
  }

  // The range of time that all plots show.

  function zoom(factor) {
    const range = model("time")
    const [least, greatest] = range.bounds
    const span = limit((range.end - range.start) * factor, 0.2, greatest - least)
    const start = limit(now - span / 2, least, greatest - span)
    range.setv({ start, end: start + span })
  }

  function keepInView() {
    const range = model("time")
    const span = range.end - range.start
    const [least, greatest] = range.bounds
    if (now >= range.start && now <= range.end) return
    const start = limit(now - 0.1 * span, least, greatest - span)
    range.setv({ start, end: start + span })
  }

  // What the plots show.

  function choose(id) {
    chosen = data.people.find((person) => person.id === id) ?? chosen
    for (const chip of document.querySelectorAll(".chip")) {
      chip.setAttribute("aria-pressed", String(Number(chip.dataset.person) === chosen.id))
    }
    $("who").textContent = chosen.id
    const names = data.plots.flatMap((plot) => plot.columns)
    model("person").data = Object.fromEntries(["t", ...names].map((name) => [name, column(chosen, name)]))
    for (const row of document.querySelectorAll("tr[data-of]")) row.hidden = Number(row.dataset.of) !== chosen.id
    for (const table of document.querySelectorAll("figure.table:has(tr[data-of])")) {
      table.hidden = !table.querySelector("tr[data-of]:not([hidden])")
    }
    const bars = Object.entries(chosen.asymmetry)
    if ($("asymmetry")) $("asymmetry").hidden = !bars.length
    if ($("cycles")) $("cycles").hidden = !chosen.cycle
    if (chosen.cycle) {
      const curves = Object.entries(chosen.cycle)
      model("curves").data = Object.fromEntries(curves.map(([name, values]) => [name, values.map((v) => v ?? NaN)]))
    }
    if (bars.length) {
      const most = Math.max(50, ...bars.map(([, value]) => 1.1 * Math.abs(value)))
      model("asymmetries").setv({ start: most, end: -most })
    }
    paint()
    const { t } = chosen.series
    if (now < t[0] || now > t[t.length - 1]) seek(t[0])
    later()
  }

  function tokens() {
    const style = getComputedStyle(document.documentElement)
    const names = ["ink", "muted", "rule", "paper"]
    return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]))
  }

  function paint() {
    const { ink, muted, rule, paper } = tokens()
    const { left, right } = data.sides
    const shades = { left: left[theme()], right: right[theme()], base: color(chosen) }
    model("cursor").line_color = ink
    for (const name of figures.names) {
      const plot = model(name)
      for (const axis of [...plot.below, ...plot.left]) axis.major_label_text_color = muted
      for (const grid of plot.center) if ("grid_line_color" in grid && grid.dimension === 1) grid.grid_line_color = rule
      for (const { glyph } of plot.renderers) {
        if (glyph.tags.length) glyph[glyph.type === "VArea" ? "fill_color" : "line_color"] = shades[glyph.tags[0]]
      }
    }
    const marks = model("marks").glyph
    marks.setv({ fill_color: ink, line_color: paper })
    if (model("bars")) {
      const [joint, value] = [Object.keys(chosen.asymmetry), Object.values(chosen.asymmetry)]
      model("bars").data = { joint, value, color: value.map((index) => (index > 0 ? shades.left : shades.right)) }
      model("even").line_color = muted
    }
    const bars = { row: [], from: [], to: [], height: [], color: [] }
    data.people.forEach((person, row) => {
      for (const [from, to, height] of person.spans) {
        bars.row.push(row)
        bars.from.push(from)
        bars.to.push(Math.max(to, from + 1e-3))
        bars.height.push(height)
        bars.color.push(color(person))
      }
    })
    model("spans").data = bars
    const events = (name) => data.events.map((event) => event[name])
    model("events").data = { t: events("t"), row: events("row"), text: events("text") }
    lines()
  }

  function lines() {
    const last = [...data.people.filter((person) => person !== chosen), chosen] // on top
    const colors = last.map(color)
    const alpha = last.map((person) => (person === chosen || data.people.length === 1 ? 1 : 0.45))
    const all = (name) => last.map((person) => column(person, name))
    model("speeds").data = { xs: all("t"), ys: all(`${point}_speed_${data.speed}`), color: colors, alpha }
    model("paths").data = { xs: all(`${point}_x`), ys: all(`${point}_y`), color: colors, alpha }
  }

  // What the reader does.

  function clicked({ detail: { figure, kind, x, y } }) {
    if (figure === "path") return kind === "tap" ? seekPlace(x, y) : whole("path")
    if (kind === "doubletap") return whole()
    if (figure === "timeline") {
      const person = data.people[limit(Math.round(y), 0, data.people.length - 1)]
      if (person !== chosen) choose(person.id)
    }
    return seek(x)
  }

  function whole(name) {
    if (name === "path") {
      model("path").x_range.setv({ start: 0, end: data.size[0] })
      model("path").y_range.setv({ start: data.size[1], end: 0 })
    } else {
      const [start, end] = model("time").bounds
      model("time").setv({ start, end })
    }
  }

  function seekPlace(x, y) {
    let best = { distance: Infinity }
    for (const person of data.people) {
      const [xs, ys] = [column(person, `${point}_x`), column(person, `${point}_y`)]
      for (let i = 0; i < xs.length; i++) {
        const distance = (xs[i] - x) ** 2 + (ys[i] - y) ** 2
        if (distance < best.distance) best = { distance, person, time: person.series.t[i] }
      }
    }
    if (!best.person) return
    if (best.person !== chosen) choose(best.person.id)
    seek(best.time)
  }

  function listen() {
    document.addEventListener("plot", clicked)
    document.addEventListener("click", ({ target }) => {
      const { person, time } = target.closest("[data-person]")?.dataset ?? {}
      if (person) choose(Number(person))
      if (time) seek(Number(time))
    })
    document.addEventListener("keydown", ({ key, target }) => {
      if (!target.closest("select, input") && [",", "."].includes(key)) step(key === "," ? -1 : 1)
    })
    $("back").addEventListener("click", () => step(-1))
    $("forward").addEventListener("click", () => step(1))
    $("rate")?.addEventListener("change", ({ target }) => (video.playbackRate = Number(target.value)))
    $("closer").addEventListener("click", () => zoom(0.5))
    $("farther").addEventListener("click", () => zoom(2))
    $("whole").addEventListener("click", () => whole())
    $("point").addEventListener("change", ({ target }) => {
      point = target.value
      lines()
      later()
    })
    slider?.addEventListener("input", () => seek(Number(slider.value)))
    for (const event of ["play", "timeupdate", "seeked"]) video?.addEventListener(event, follow)
    dark.addEventListener("change", paint)
    $("print").addEventListener("click", () => print())
    $("series").addEventListener("click", () => saveSeries(chosen))
    addEventListener("beforeprint", () => toPaper(vectors()))
    addEventListener("afterprint", toScreen)
    document.addEventListener("click", ({ target }) => {
      const { csv, png } = target.closest("[data-csv], [data-png]")?.dataset ?? {}
      if (csv) saveTable(csv)
      if (png) savePlot(png)
    })
  }

  // What is saved: plots have the colours of the light theme.

  function vectors() {
    const saved = (name) => onWhite(vector(views.get_one(model(name))))
    return Object.fromEntries(figures.names.map((name) => [name, saved(name)]))
  }

  function onWhite(svg) {
    if (!dark.matches) return svg
    const now = tokens()
    document.documentElement.classList.add("paper")
    const white = tokens()
    document.documentElement.classList.remove("paper")
    const pairs = Object.keys(now).map((name) => [now[name], white[name]])
    for (const { dark, light } of [...data.people.map((person) => person.colors), ...Object.values(data.sides)]) {
      pairs.push([dark, light])
    }
    return recolored(svg, pairs)
  }

  function savePlot(name) {
    const figure = $(`plot-${name}`).closest("figure")
    const own = data.plots.find((plot) => plot.name === name)
    const [heading, unit] = ["h3", ".unit"].map((part) => figure.querySelector(part).textContent)
    const legend = figure.querySelector(".legend") ?? (own?.columns.length === 1 ? null : $("sides"))
    const who = $("one").parentElement.parentElement.contains(figure)
    const title = `${who ? `Person ${chosen.id}: ` : ""}${heading}, ${unit}`
    const svg = titled(vector(views.get_one(model(name))), title, legend)
    savePng(who ? `person-${chosen.id}-${name}` : name, onWhite(svg))
  }

  async function begin() {
    if (video) {
      // Safari plays a video from memory, but not from a data URI.
      const blob = await (await fetch(video.src)).blob().catch(() => null)
      if (blob) video.src = URL.createObjectURL(blob)
    }
    for (const { name, label } of data.points) {
      if (data.people.some((person) => person.series[`${name}_x`])) $("point").add(new Option(label, name))
    }
    $("point").value = point
    ;[views] = await Bokeh.embed.embed_items(figures.docs, figures.items)
    plots = Bokeh.documents[0]
    if (matchMedia("(pointer: coarse)").matches) {
      // A finger's drag scrolls the page; the buttons zoom.
      for (const name of figures.names) for (const tool of model(name).toolbar.tools) tool.active = false
    }
    if (data.backdrop) {
      const [w, h] = data.size
      model("backdrop").data = { url: [data.backdrop], x: [0], y: [0], w: [w], h: [h] }
    }
    listen()
    choose(data.first)
    seek(chosen.series.t[0])
    show()
    document.documentElement.dataset.ready = "true"
  }

  begin()
})()
