const NAME = '["\'`]?([A-Z][A-Z0-9_]{2,})["\'`]?'
/** A name that cannot be a plain word in capitals. */
const LONG_NAME = '["\'`]?([A-Z][A-Z0-9]*_[A-Z0-9_]+)["\'`]?'
const GIVEN = '(?:set|defined|given|provided|found)'

/** How programs, and shells, say that a variable is not set. */
const UNSET = [
  `${NAME}(?: environment variable)?,? (?:(?:is|was|has) )?(?:not (?:been )?${GIVEN}|unset|undefined)\\b`,
  `${LONG_NAME}(?: environment variable)? (?:is|was|must be) (?:missing|required|${GIVEN}\\b(?<=must be \\w+))`,
  `(?:[Mm]issing|[Uu]nset|[Uu]ndefined|[Rr]equired|not (?:set|find|found|fetch|read))\\b.{0,40}\\benvironment variables?:? ${NAME}`,
  `KeyError: ${NAME}|key not found: ${NAME}`,
  `: ${NAME}: (?:parameter (?:null or )?not set|unbound variable)`
].map(text => new RegExp(text))

/** Returns the unset variables that a line names. */
export const unsetVariables = (line: string): readonly string[] => [
  ...new Set(UNSET.flatMap(each => (each.exec(line) ?? []).slice(1).filter(Boolean)))
]
