import {starPattern} from '../../../model/name-pattern.ts'
interface Node<Rule> {
  /** A step of a path with its slash: `/op`, `/*`, `/v*`. */
  readonly step: string
  rule: Rule | undefined
  readonly children: Node<Rule>[]
}

const ONE_STEP = '/*'
const ANY_STEPS = '/**'

const stepsOf = (path: string): readonly string[] =>
  path
    .split('/')
    .slice(1)
    .map(step => `/${step}`)

/**
 * Rules by path, found as Dapr's access control does (pkg/config/acl_trie.go): the first matching child is taken, without backtracking. A
 * rule applies to all paths below its own, except one that ends in a single `*`, which also applies to the path above it.
 */
export class OperationTree<Rule> {
  readonly #root: Node<Rule> = {step: '/', rule: undefined, children: []}

  /** The first rule of a path is kept. */
  add(path: string, rule: Rule): void {
    let node = this.#root
    for (const step of stepsOf(path)) {
      const known = node.children.find(child => child.step === step)
      const next = known ?? {step, rule: undefined, children: []}
      if (known === undefined) node.children.push(next)
      node = next
    }
    node.rule ??= rule
  }

  /** The rule for a path with a leading slash. */
  find(path: string): Rule | undefined {
    let node = this.#root
    for (let start = 0; ;) {
      const slash = path.indexOf('/', start + 1)
      const isLast = slash === -1
      const next = childFor(node, isLast ? path.slice(start) : path.slice(start, slash), isLast)
      if (next === undefined) return undefined
      node = next
      const holdsBelow = !node.step.endsWith(ONE_STEP)
      if (node.rule !== undefined && (isLast || holdsBelow)) return node.rule
      if (isLast) return childFor(node, ONE_STEP, true)?.rule
      start = slash
    }
  }
}

function childFor<Rule>({children}: Node<Rule>, step: string, isLast: boolean): Node<Rule> | undefined {
  return children.find(child => {
    if (child.step === step || child.step === ANY_STEPS) return true
    return child.step === ONE_STEP ? isLast : matchesStep(step, child.step)
  })
}

/** Whether a text matches a pattern, in which `*` matches any characters or none. */
export const matchesStep = (text: string, pattern: string): boolean =>
  pattern.includes('*') ? starPattern(pattern)(text) : text === pattern
