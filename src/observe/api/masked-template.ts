import {isAlias, isScalar, isSeq, parseAllDocuments, visit} from 'yaml'
import type {Masking} from '../telemetry/recorder/masking.ts'

/** Passwords in URLs: `postgres://user:secret@host`. */
const IN_URL = /(:\/\/[^\s/:@]*:)([^\s/@]+)(?=@)/g
/** A key and its value in one line: of a comment, or of a text that is no YAML. */
const IN_LINE = /^([ \t]*(?:#[# \t]*)?(?:- +)?(["']?)([\w.-]+)\2:[ \t]+)(?![|>#])(\S.*)$/gm
/** In place of a value that is written elsewhere. */
const ANY = '*'

const maskOf = (value: string): string => `<masked, ${value.trim().length} characters>`

/** The text of a template without the values of keys with a secret name, wherever these are written; lines stay where they are. */
export function maskedTemplate(text: string, masking: Masking): string {
  let masked = ''
  let done = 0
  for (const [start, end] of secretSpots(text, masking).toSorted((a, b) => a[0] - b[0])) {
    if (start < done || end <= start) continue
    const value = text.slice(start, end)
    masked += text.slice(done, start) + maskOf(value) + '\n'.repeat(value.split('\n').length - 1)
    done = end
  }
  const whole = masked + text.slice(done)
  return withoutPasswords(
    whole.replace(IN_LINE, (line, before: string, _quote, name: string, value: string) =>
      value.includes('<masked, ') || !masking.isSecret(name, value) ? line : before + maskOf(value)
    )
  )
}

type Spot = readonly [start: number, end: number]

/** The places of secret values in all documents, also of those behind an alias. */
function secretSpots(text: string, masking: Masking): readonly Spot[] {
  const spots: Spot[] = []
  const note = (node: unknown): void => {
    if (isScalar(node) && node.range) spots.push([node.range[0], node.range[1]])
  }
  const options = {version: '1.1', schema: 'failsafe', uniqueKeys: false, prettyErrors: false} as const
  for (const document of parseAllDocuments(text, options)) {
    const anchors = new Set<string>()
    visit(document, {
      Pair: (_, {key, value}) => {
        if (!isScalar(key) || !masking.isSecret(String(key.value), isScalar(value) ? String(value.value) : ANY)) return
        for (const node of isSeq(value) ? value.items : [value]) {
          note(node)
          if (isAlias(node)) anchors.add(node.source)
        }
      }
    })
    visit(document, {Scalar: (_, node) => (anchors.has(node.anchor ?? '') ? note(node) : undefined)})
  }
  return spots
}

/** Masks passwords in URLs. */
export const withoutPasswords = (text: string): string =>
  text.replace(IN_URL, (_, before: string, password: string) => before + maskOf(password))
