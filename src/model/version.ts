/** The program's version; a test holds it against package.json. */
export const VERSION = '0.1.0'

/** The version of Dapr's sidecar whose contract the sidecars keep. */
export const RUNTIME_VERSION = '1.18.0'
