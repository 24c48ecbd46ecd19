import t from 'tap'
import {compileExactGlob, compileGlob} from '../../../src/model/glob.ts'

const matches = (glob: string, path: string): boolean =>
  compileGlob(glob, '/app').some(each => each.matches(`/app/${path}`))

const exact = (glob: string, path: string): boolean => compileExactGlob(glob, '/app').matches(`/app/${path}`)

t.test('wildcards, sets, alternatives and escapes', async t => {
  const yes = [
    ['*.js', '.hidden.js'],
    ['src/**', 'src/a/b'],
    ['**/*.js', 'a.js'],
    ['**/b/**/c', 'a/b/c'],
    ['a?c', 'abc'],
    ['a?c', 'a😀c'],
    ['[a-c]x', 'bx'],
    ['[!a-c]x', 'dx'],
    ['[]]x', ']x'],
    ['{a,b{c,d}}/*', 'bd/x'],
    ['{a}', '{a}'],
    ['a{b', 'a{b'],
    ['a[b', 'a[b'],
    ['a\\*', 'a*'],
    ['\\{a,b\\}', '{a,b}'],
    ['.', 'any/thing'],
    ['', 'any/thing'],
    ['src', 'src/a'],
    ['../app/x', 'x'],
    ['/app/*', 'x']
  ] as const
  for (const [glob, path] of yes) t.ok(matches(glob, path), `${glob} matches ${path}`)
  const no = [
    ['*.js', 'a/b.js'],
    ['src/*', 'src/a/b'],
    ['a?c', 'ac'],
    ['a?c', 'a/c'],
    ['[!a-c]x', 'ax'],
    ['a\\*', 'ab'],
    ['src', 'srcs'],
    ['a/../*', 'a/b']
  ] as const
  for (const [glob, path] of no) t.notOk(matches(glob, path), `${glob} does not match ${path}`)
})

t.test('an exact glob matches what it names alone, and takes braces literally', async t => {
  t.ok(exact('build', 'build'))
  t.notOk(exact('build', 'build/x'))
  t.ok(exact('{a,b}*', '{a,b}c'))
  t.notOk(exact('{a,b}*', 'a'))
})

t.test('many stars do not backtrack: the number of steps is bounded', async t => {
  const stars = '*a'.repeat(100)
  t.notOk(matches(`${stars}*b`, 'a'.repeat(250)))
  t.ok(matches(stars, 'a'.repeat(250)))
  const deep = `${'a'.repeat(200)}/`.repeat(15)
  t.notOk(matches(`${'**/*a*a*a*b/'.repeat(10)}x`, `${deep}y`))
})

t.test('too many alternatives are refused', async t => {
  t.equal(compileGlob('{a,b}'.repeat(9), '/').length, 512)
  t.throws(() => compileGlob('{a,b}'.repeat(30), '/'), RangeError)
  t.throws(() => compileGlob(`{${'a,'.repeat(2000)}}`, '/'), RangeError)
})
