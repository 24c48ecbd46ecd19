import {messageOf} from '../../model/errors.ts'
import {orElse} from '../../model/or-else.ts'
import type {Field} from './field.ts'

/** Replaces every match in a text. */
type Replace = (text: string) => string

/**
 * Compiles a regular expression and its replacement, both as Go reads them: RE2, with `$1`, `${1}`, `${name}` and
 * `$$` (Go: Regexp.ReplaceAllString). Throws for a wrong expression. The library is loaded with the first one.
 */
export async function compileReplacement(expression: string, template: string): Promise<Replace> {
  const {RE2JS} = await import('re2js')
  const compiled = RE2JS.compile(expression)
  return text => {
    const matcher = compiled.matcher(text)
    let result = ''
    let at = 0
    while (matcher.find()) {
      result += text.slice(at, matcher.start()) + expand(template, name => groupOf(matcher, name))
      at = matcher.end()
    }
    return result + text.slice(at)
  }
}

/** Expands a replacement. `$name` takes as many letters, digits and underlines as possible. */
const expand = (template: string, groupNamed: (name: string) => string): string =>
  template.replace(/\$(?:(\$)|\{(\w+)\}|(\w+))/g, (_, dollar?: string, inBraces?: string, plain?: string) =>
    dollar === undefined ? groupNamed(inBraces ?? plain ?? '') : dollar
  )

/** Returns a group's text; empty for an unknown group or one that did not match. */
const groupOf = (matcher: {group(name: string | number): string | null}, name: string): string =>
  orElse(() => matcher.group(/^\d+$/.test(name) ? Number(name) : name), '') ?? ''

/** A rule of `spec.metrics.rules`, which replaces matches in a label's value. */
export interface MetricRule {
  /** Name of the metric, with or without `dapr_`. */
  readonly metric: string
  readonly label: string
  /** The regular expression as written. Two rules differ if it or the replacement differs. */
  readonly regex: string
  readonly template: string
  readonly replace: Replace
}

/** `spec.metrics` of a Configuration, or `spec.metric`. */
export interface MetricsSettings {
  readonly isEnabled: boolean
  /** `recordErrorCodes` */
  readonly hasErrorCodes: boolean
  /** Upper bounds in milliseconds; undefined: Dapr's. */
  readonly latencyBuckets: readonly number[] | undefined
  readonly rules: readonly MetricRule[]
  /** `http.increasedCardinality`: each path is a label by itself. */
  readonly hasFullPaths: boolean
  /** `http.pathMatching` */
  readonly pathMatching: readonly string[]
  /** Whether the verb is a label: not with `http.excludeVerbs`. */
  readonly hasVerbs: boolean
}

const KEYS = ['enabled', 'recordErrorCodes', 'latencyDistributionBuckets', 'rules', 'http']

/** Reads `spec.metrics` and `spec.metric`: the former wins, key by key (Dapr: pkg/config, sortMetricsSpec). */
export async function readMetricsSettings(spec: Field): Promise<MetricsSettings> {
  const both = [spec.field('metrics'), spec.field('metric')]
  for (const field of both) field.warnUnknownKeys(KEYS)
  const pick = (key: string): Field | undefined => both.map(field => field.field(key)).find(field => !field.isAbsent)
  const http = pick('http')
  http?.warnUnknownKeys(['increasedCardinality', 'pathMatching', 'excludeVerbs'])
  return {
    isEnabled: pick('enabled')?.boolean() ?? true,
    hasErrorCodes: pick('recordErrorCodes')?.boolean() ?? false,
    latencyBuckets: readBuckets(pick('latencyDistributionBuckets')),
    rules: await readRules(pick('rules')),
    hasFullPaths: http?.field('increasedCardinality').boolean() ?? true,
    pathMatching: http?.field('pathMatching').texts() ?? [],
    hasVerbs: !(http?.field('excludeVerbs').boolean() ?? false)
  }
}

function readBuckets(field: Field | undefined): readonly number[] | undefined {
  const bounds = field?.items().map(item => item.integer() ?? 0) ?? []
  if (bounds.length === 0) return undefined
  const isOrdered = bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? 0))
  if (!isOrdered)
    field?.warn('latencyDistributionBuckets are not in order: they are sorted', {
      expected: 'expected numbers that grow'
    })
  return [...new Set(bounds)].toSorted((a, b) => a - b)
}

async function readRules(field: Field | undefined): Promise<readonly MetricRule[]> {
  const rules: MetricRule[] = []
  for (const rule of field?.items() ?? []) {
    rule.warnUnknownKeys(['name', 'labels'])
    for (const label of rule.field('labels').items()) {
      label.warnUnknownKeys(['name', 'regex'])
      for (const [template, regex] of label.field('regex').entries()) {
        const replace = await readReplacement(regex, template)
        const names = {metric: rule.field('name').text(), label: label.field('name').text()}
        if (replace !== undefined) rules.push({...names, regex: regex.text(), template, replace})
      }
    }
  }
  return rules
}

async function readReplacement(regex: Field, template: string): Promise<Replace | undefined> {
  try {
    return await compileReplacement(regex.text(), template)
  } catch (error) {
    return regex.error(`failed to compile regex for rule ${regex.path}: ${messageOf(error)}`, {
      expected: 'expected a regular expression as Go reads it'
    })
  }
}
