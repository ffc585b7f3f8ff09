/**
 * Of a route that reads its query or body by itself: its schemas are there for the description of the API only, and nothing is
 * refused by them.
 */
export const ownParsing = { validatorCompiler: () => () => true }
