// Single keys that do things; nothing of it while somebody types or a dialog is open.

/** `acts`: key -> function, as KeyboardEvent.key names them, letters in lower case. */
export function listenForKeys(acts) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, dialog[open]")) return;
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
