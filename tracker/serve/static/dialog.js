// Asks the user for a text or a number.

/** Return what the user entered; an empty text if nothing. */
export function ask({ title, value = "", type = "text" }) {
  const dialog = document.getElementById("ask-dialog")
  const input = dialog.querySelector("input")
  document.getElementById("ask-title").textContent = title
  Object.assign(input, { type, value, step: "any", min: type === "number" ? "0" : "" })
  dialog.returnValue = ""
  dialog.querySelector("[type=button]").onclick = () => dialog.close()
  dialog.showModal()
  input.select()
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "ok" ? input.value.trim() : "")
  })
}
