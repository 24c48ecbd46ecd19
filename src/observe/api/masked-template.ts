import {isAlias, isScalar, isSeq, parseAllDocuments, visit, type Node} from 'yaml'
import {MASK} from '../replay/edit.ts'
import type {Masking} from '../telemetry/recorder/masking.ts'

/** A name and its value in one line: in a comment, outside of YAML, or in the default of a variable, `${NAME:-secret}`. */
const NAMED = [
  /^([ \t]*(?:#[# \t]*)?(?:- +)?["']?([\w.-]+)["']?:[ \t]+)(?![|>#])(\S.*)$/gm,
  /(\$\{(\w+):?[-+])([^{}\n]+)(?=\})/g
]

/** The text of a template without the values of keys with a secret name, wherever these are written; lines stay where they are. */
export function maskedTemplate(text: string, masking: Masking): string {
  let masked = ''
  let done = 0
  for (const [start = 0, end = 0] of secretSpots(text, masking).toSorted(([a = 0], [b = 0]) => a - b)) {
    if (start < done || end <= start) continue
    const value = text.slice(start, end)
    masked += text.slice(done, start) + masking.value(value.trim()) + '\n'.repeat(value.split('\n').length - 1)
    done = end
  }
  const mask = (all: string, before: string, name: string, value: string): string =>
    MASK.test(value) || !masking.isSecret(name, value) ? all : before + masking.value(value.trim())
  return masking.words(NAMED.reduce((whole, named) => whole.replaceAll(named, mask), masked + text.slice(done)))
}

/** Returns the ranges of secret values in all documents, also of values behind an alias. */
function secretSpots(text: string, masking: Masking): readonly (readonly number[])[] {
  const options = {version: '1.1', schema: 'failsafe', uniqueKeys: false, prettyErrors: false} as const
  return parseAllDocuments(text, options).flatMap(document => {
    const secret: (readonly Node[])[] = []
    visit(document, {
      Pair: (_, {key, value}) => {
        // the value of an alias is not known yet
        if (isScalar(key) && masking.isSecret(String(key.value), isScalar(value) ? String(value.value) : '*'))
          secret.push(valuesOf(value))
      },
      Seq: (_, {items}) => {
        const words = items.map(item => (isScalar(item) ? String(item.value) : ''))
        secret.push(items.filter((_item, at) => masking.isArgument(words[at - 1] ?? '', words[at] ?? '')) as Node[])
      }
    })
    const anchors = new Set(secret.flat().flatMap(node => (isAlias(node) ? node.source : [])))
    visit(document, {Value: (_, node) => void (anchors.has(node.anchor ?? '') && secret.push(valuesOf(node)))})
    return secret.flat().flatMap(node => (isScalar(node) && node.range ? [node.range] : []))
  })
}

const valuesOf = (node: unknown): readonly Node[] => (isSeq(node) ? node.items.flatMap(valuesOf) : [node as Node])
