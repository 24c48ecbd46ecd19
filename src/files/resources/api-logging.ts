import type {Field} from './field.ts'

/** `spec.logging.apiLogging` of a Configuration. */
export interface ApiLogging {
  /** Whether there is a log, even if neither the template nor a flag asks for it. */
  readonly enabled: boolean
  /** A request is logged by the name of its API, without its URL. */
  readonly obfuscatesUrls: boolean
  readonly omitsHealthChecks: boolean
}

/** Reads `spec.logging` (Dapr: pkg/config, LoggingSpec). */
export function readApiLogging(spec: Field): ApiLogging {
  const logging = spec.field('logging')
  logging.warnUnknownKeys(['apiLogging'])
  const field = logging.field('apiLogging')
  field.warnUnknownKeys(['enabled', 'obfuscateURLs', 'omitHealthChecks'])
  return {
    enabled: field.field('enabled').boolean() ?? false,
    obfuscatesUrls: field.field('obfuscateURLs').boolean() ?? false,
    omitsHealthChecks: field.field('omitHealthChecks').boolean() ?? false
  }
}
