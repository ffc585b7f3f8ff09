/** Runs the page's code: what it throws shows up as uncaught, a moment later, and does not get in our way. */
export function attempt(code: () => void): void {
  try {
    code()
  } catch (error) {
    setTimeout(() => {
      throw error
    })
  }
}

/** Calls a handler of the page with what happened, if there is one. */
export function tell<Event>(handler: ((event: Event) => void) | undefined, event: Event): void {
  if (handler) attempt(() => handler(event))
}
