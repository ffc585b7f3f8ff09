/**
 * Calls code of the page, if there is any: what it throws shows up as uncaught, a moment later, and does not get in our way.
 */
export function tell<Event>(handler: ((event: Event) => void) | undefined, event: Event): void
export function tell(task: () => void): void
export function tell<Event, More>(
  handler: ((event: Event, more: More) => void) | undefined,
  event: Event,
  more: More,
): void
export function tell<Event, More>(
  handler: ((event?: Event, more?: More) => void) | undefined,
  event?: Event,
  more?: More,
): void {
  try {
    if (handler) handler(event, more)
  } catch (error) {
    setTimeout(() => {
      throw error
    })
  }
}
