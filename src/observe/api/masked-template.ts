import {isScalar, parseDocument, visit} from 'yaml'
import type {Masking} from '../telemetry/recorder/masking.ts'

/** Passwords in URLs: `postgres://user:secret@host`. */
const IN_URL = /(:\/\/[^\s/:@]*:)([^\s/@]+)(?=@)/g

/** The text of a template without the values of keys with a secret name; lines stay where they are. */
export function maskedTemplate(text: string, masking: Masking): string {
  const spots: (readonly [start: number, end: number])[] = []
  visit(parseDocument(text, {version: '1.1', schema: 'failsafe', uniqueKeys: false, prettyErrors: false}), {
    Pair: (_, {key, value}) => {
      if (!isScalar(key) || !isScalar(value) || !value.range) return
      if (masking.isSecret(String(key.value), String(value.value))) spots.push([value.range[0], value.range[1]])
    }
  })
  let masked = ''
  let done = 0
  for (const [start, end] of spots.toSorted((a, b) => a[0] - b[0])) {
    if (start < done || end <= start) continue
    const value = text.slice(start, end)
    const breaks = '\n'.repeat(value.split('\n').length - 1)
    masked += `${text.slice(done, start)}<masked, ${value.trim().length} characters>${breaks}`
    done = end
  }
  return withoutPasswords(masked + text.slice(done))
}

/** Masks passwords in URLs. */
export const withoutPasswords = (text: string): string =>
  text.replace(IN_URL, (_, before: string, password: string) => `${before}<masked, ${password.length} characters>`)
