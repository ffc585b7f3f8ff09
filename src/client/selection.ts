import type { Dispatcher } from './dispatcher.js'
import { has, lacking } from './names.js'

/**
 * Which channels to ask for. As long as no name is given, a request names none and gets all that the visitor's identity
 * lists. A request that names one gets only those that it names, and `*` stands for all that the identity lists.
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
}

/** Creates a selection of the channels that the page names when it connects and those that it has listeners for. */
export function createSelection(fixed: () => readonly string[], dispatcher: Dispatcher): Selection {
  let asked: readonly string[] = []
  let isMore = false
  // What came without being named comes by itself, as long as the CMS wants it to. Named, it would be refused once it is taken
  // away, like what was refused before, and all the rest with it.
  let unnamed: readonly string[] = []

  const wanted = () => lacking(unnamed, dispatcher.channels())

  return {
    names() {
      const first = fixed()
      const own = wanted()
      const all = (first.length || !own.length ? first : ['*']).concat(own)
      asked = first.length || isMore ? all.filter((name, index) => all.indexOf(name) === index) : []
      return asked
    },
    compare(channels) {
      unnamed = unnamed.concat(lacking(asked.concat(unnamed), channels))
      const lacks = lacking(asked, wanted()).length > 0
      isMore = isMore || lacks
      return lacks
    },
    drop(name) {
      unnamed = unnamed.concat(name)
      return !has(fixed(), name)
    },
  }
}
