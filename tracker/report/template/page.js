"use strict"
;(() => {
  const $ = (id) => document.getElementById(id)
  const data = JSON.parse($("data").textContent)
  const figures = JSON.parse($("figures").textContent)
  const video = $("video")
  const picture = $("picture")
  const slider = $("slider")
  const dark = matchMedia("(prefers-color-scheme: dark)")
  let plots // Bokeh's models by name
  let chosen = data.people[0]
  let point = data.point
  let now = data.start
  let waiting = false

  for (const person of data.people) {
    for (const [name, text] of Object.entries(person.series)) {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
      person.series[name] = new Float32Array(bytes.buffer)
    }
  }
  const column = (person, name) => person.series[name] ?? new Float32Array(person.series.t.length).fill(NaN)
  const colors = (person) => person.colors[dark.matches ? "dark" : "light"]
  const model = (name) => plots.get_model_by_name(name)
  const limit = (value, low, high) => Math.min(Math.max(value, low), high)

  // Time: the video's, or that of the slider where there are only pictures.

  function seek(time) {
    now = limit(time, data.start, data.end)
    if (video) video.currentTime = Math.max(now - data.origin, 0)
    later()
  }

  function follow() {
    if (video.seeking) return
    now = video.currentTime + data.origin
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
    if (picture && data.times.length) picture.src = data.pictures[nearest(data.times, now)]
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
      here.color.push(person.colors.chip.base)
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
    paint()
    later()
  }

  function paint() {
    const style = getComputedStyle(document.documentElement)
    const [ink, muted, rule] = ["--ink", "--muted", "--rule"].map((name) => style.getPropertyValue(name).trim())
    const shades = colors(chosen)
    for (const [side, color] of Object.entries(shades)) document.documentElement.style.setProperty(`--${side}`, color)
    model("cursor").line_color = ink
    for (const name of figures.names) {
      const plot = model(name)
      for (const axis of [...plot.below, ...plot.left]) axis.major_label_text_color = muted
      for (const grid of plot.center) if ("grid_line_color" in grid && grid.dimension === 1) grid.grid_line_color = rule
      for (const { glyph } of plot.renderers) if (glyph.tags.length) glyph.line_color = shades[glyph.tags[0]]
    }
    const marks = model("marks").glyph
    marks.setv({ fill_color: ink, line_color: style.getPropertyValue("--paper").trim() })
    const bars = { row: [], from: [], to: [], height: [], color: [] }
    data.people.forEach((person, row) => {
      for (const [from, to, height] of person.spans) {
        bars.row.push(row)
        bars.from.push(from)
        bars.to.push(Math.max(to, from + 1e-3))
        bars.height.push(height)
        bars.color.push(colors(person).base)
      }
    })
    model("spans").data = bars
    const events = (name) => data.events.map((event) => event[name])
    model("events").data = { t: events("t"), row: events("row"), text: events("text") }
    lines()
  }

  function lines() {
    const last = [...data.people.filter((person) => person !== chosen), chosen] // on top
    const color = last.map((person) => colors(person).base)
    const alpha = last.map((person) => (person === chosen || data.people.length === 1 ? 1 : 0.45))
    const all = (name) => last.map((person) => column(person, name))
    model("speeds").data = { xs: all("t"), ys: all(`${point}_speed_${data.speed}`), color, alpha }
    model("paths").data = { xs: all(`${point}_x`), ys: all(`${point}_y`), color, alpha }
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
    await Bokeh.embed.embed_items(figures.docs, figures.items)
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
    show()
    document.documentElement.dataset.ready = "true"
  }

  begin()
})()
