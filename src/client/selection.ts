import type { Dispatcher } from './dispatcher.js'

/**
 * Which channels to ask for. As long as no name is given, a request names none and gets all that the visitor's identity
 * lists. A request that names one gets only those that it names.
 */
export interface Selection {
  /** The names for the next request; none for all that the identity lists. */
  names(): readonly string[]
  /**
   * Takes in what a `ready` lists.
   *
   * @returns true if the page listens to more than that, and it is worth asking: `names` has grown
   */
  compare(listed: readonly string[]): boolean
  /**
   * Takes in that a channel was refused: it is not asked for again. Its listeners stay, for messages to users may bear it
   * as a label.
   *
   * @returns false if the page named it when it connected: that is for its author to mend
   */
  drop(name: string): boolean
  /**
   * Goes back to asking for all that the identity lists, because that may have changed.
   *
   * @returns false if that is what was asked for anyway
   */
  reset(): boolean
}

/** Creates a selection of the channels that the page names when it connects and those that it has listeners for. */
export function createSelection(fixed: readonly string[], dispatcher: Dispatcher): Selection {
  let asked: readonly string[] = []
  let listed: readonly string[] | undefined
  // What the CMS has listed and then taken away, or refused, is not asked for again: all the rest would be refused with it.
  let everListed: readonly string[] = []

  const unique = (names: readonly string[]) => names.filter((name, index) => names.indexOf(name) === index)
  const wanted = () => dispatcher.channels().filter(name => everListed.indexOf(name) < 0)

  return {
    names() {
      asked = fixed.length || listed ? unique(fixed.concat(listed || [], wanted())) : []
      return asked
    },
    compare(channels) {
      if (!asked.length) everListed = unique(everListed.concat(channels))
      const isMore = wanted().some(name => asked.indexOf(name) < 0 && channels.indexOf(name) < 0)
      if (isMore && !asked.length) listed = channels
      return isMore
    },
    drop(name) {
      everListed = everListed.concat(name)
      listed = listed?.filter(other => other !== name)
      return fixed.indexOf(name) < 0
    },
    reset() {
      const isNarrow = !!listed
      listed = undefined
      return isNarrow
    },
  }
}
