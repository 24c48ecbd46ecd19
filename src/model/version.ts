/** The program's version; a test compares it with package.json. */
export const VERSION = '0.1.0'

/** The version of Dapr's runtime with which the sidecars are compatible. */
export const RUNTIME_VERSION = '1.18.0'
