import {isPair, isScalar, isSeq, visit, type Node} from 'yaml'
import type {Template} from './decode.ts'
import type {Mistake} from './diagnose.ts'
import {spotOf} from './nodes.ts'
import {REFERENCE, textOf, TO_REPLACE} from './scalar.ts'
import type {Yaml} from './source.ts'

/** Values with `${NAME}` in a template without `interpolate: true`: programs get them as they are. What a shell reads is left out. */
export function notInterpolated({top}: Template, documents: readonly Yaml[]): readonly Mistake[] {
  if (top.values.interpolate === true) return []
  const mistakes: Mistake[] = []
  for (const document of documents)
    visit(document, {
      Scalar: (key, node, path) => {
        const [written] = REFERENCE.exec(textOf(node)) ?? []
        if (key === 'key' || written === undefined || isForShell(node, path.at(-1), path.at(-2))) return
        const whole = spotOf(node, {start: 0, end: 0})
        mistakes.push({
          code: 'not-interpolated',
          message: `${written} stays as it is: nothing is replaced in this template`,
          spot: whole,
          hint: TO_REPLACE
        })
      }
    })
  return mistakes
}

/** An item after `-c` of a `command`. */
function isForShell(node: Node, list: unknown, pair: unknown): boolean {
  if (!isSeq(list) || !isPair(pair) || !isScalar(pair.key) || textOf(pair.key) !== 'command') return false
  const before = list.items.slice(0, list.items.indexOf(node))
  return before.some(item => isScalar(item) && /^-[a-z]*c$/.test(textOf(item)))
}
