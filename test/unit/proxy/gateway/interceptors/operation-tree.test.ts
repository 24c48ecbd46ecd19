import t from 'tap'
import {matchesStep, OperationTree} from '../../../../../src/proxy/gateway/interceptors/access-control.ts'

// Dapr's pkg/config/acl_trie_test.go first.
t.test('wildcards within a step', async t => {
  const table: readonly (readonly [text: string, pattern: string, expected: boolean])[] = [
    ['/ABC', '/A*', true],
    ['/ABC.a', '/A*', true],
    ['/ABC', '/*C', true],
    ['/ABC.a', '/*a', true],
    ['/abcd', '/a*d', true],
    ['/ABC.a', '/AB*.a', true],
    ['/a', '/a*a', false],
    ['/aa', '/a*a', true],
    ['/abab', '/a*b*b', true],
    ['/ab', '/a*b*b', false],
    ['/axbycz', '/a*b*c*', true],
    ['/a', '/*', true],
    ['/', '/**', true],
    ['/ab', '/abc', false],
    ['/b', '/a*', false]
  ]
  for (const [text, pattern, expected] of table) t.equal(matchesStep(text, pattern), expected, `${text} ${pattern}`)
})

const treeOf = (...paths: readonly string[]): OperationTree<string> => {
  const tree = new OperationTree<string>()
  for (const path of paths) tree.add(path, path)
  return tree
}

t.test('which rule applies to a path', async t => {
  const table: readonly (readonly [rules: string[], path: string, rule: string | undefined])[] = [
    [['/public'], '/public', '/public'],
    [['/public'], '/public/extra/more', '/public'],
    [['/public'], '/publicity', undefined],
    [['/a/b'], '/a', undefined],
    [['/op/*'], '/op', '/op/*'],
    [['/op/*'], '/op/x', '/op/*'],
    [['/op/*'], '/op/x/y', undefined],
    [['/op/**'], '/op/x/y', '/op/**'],
    [['/op/**'], '/op', '/op/**'],
    [['/op/*/z'], '/op/x/z', undefined],
    [['/v*/items'], '/v2/items', '/v*/items'],
    [['/v*'], '/v2/items', '/v*'],
    [['/a*', '/ab'], '/ab', '/a*'],
    [['/ab', '/a*'], '/ab', '/ab'],
    [['/a*/x', '/ab/y'], '/ab/y', undefined],
    [['/**', '/a'], '/a', '/**'],
    [['/'], '/', '/'],
    [['/*'], '/', '/*'],
    [['/a/b', '/a'], '/a/b', '/a'],
    [[], '/a', undefined]
  ]
  for (const [rules, path, rule] of table) t.equal(treeOf(...rules).find(path), rule, `${rules.join()} ${path}`)
  const tree = new OperationTree<number>()
  tree.add('/a', 1)
  tree.add('/a', 2)
  t.equal(tree.find('/a'), 1, 'of two rules for one path the first holds')
})
