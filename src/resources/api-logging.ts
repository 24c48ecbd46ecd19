import type {Field} from './field.ts'

/** `spec.logging.apiLogging` of a Configuration; whether there is a log at all the template says. */
export interface ApiLogging {
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
  const enabled = field.field('enabled')
  if (!enabled.isAbsent) enabled.warn('apiLogging.enabled has no effect: write enableApiLogging into the template')
  return {
    obfuscatesUrls: field.field('obfuscateURLs').boolean() ?? false,
    omitsHealthChecks: field.field('omitHealthChecks').boolean() ?? false
  }
}
