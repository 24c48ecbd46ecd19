/** The program's version; a test compares it with package.json. */
export const VERSION = '0.1.0'

/** The version of Dapr's runtime with which the sidecars are compatible. */
export const RUNTIME_VERSION = '1.18.0'

/** The grammar of Semantic Versioning 2.0.0. The package `semver` is less strict: it accepts a `v` and spaces, and drops the build metadata. */
const SEMANTIC =
  /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*)?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/

/** Whether a text is a version as Semantic Versioning 2.0.0 writes it. */
export const isSemanticVersion = (text: string): boolean => SEMANTIC.test(text)
