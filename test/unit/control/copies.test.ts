import {mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {copiesAmong} from '../../../src/control/copies.ts'
import {lostOriginOf, originOf} from '../../../src/control/repository.ts'
import type {RunIdentity} from '../../../src/control/run-file.ts'

const template = (): object => ({'dapr.yaml': ''})
const config = (url: string): string =>
  `[core]\n\tbare = false\n[remote "origin"]\n\turl = ${url}\n\tfetch = +refs\n[branch "main"]\n\tremote = origin\n`

/** A repository with a worktree, two clones of another one, and a folder of none. */
const FOLDERS = {
  main: {'.git': {config: '[core]\n', worktrees: {pr: {commondir: '../..\n'}}}, shop: template(), tea: template()},
  pr: {'.git': '', shop: template()},
  one: {'.git': {config: config('git@example.com:a/b.git')}, shop: template()},
  two: {'.git': {config: config('git@example.com:a/b')}, shop: template()},
  three: {'.git': {config: config('git@example.com:a/c')}, shop: template()},
  none: {shop: template()}
}
const folder = t.testdir(FOLDERS as Parameters<typeof t.testdir>[0])
const at = (path: string): string => join(folder, path, 'dapr.yaml')

t.test('worktrees and clones have the same origin for the same path', async t => {
  writeFileSync(join(folder, 'pr/.git'), `gitdir: ${join(folder, 'main/.git/worktrees/pr')}\n`)
  t.equal(originOf(at('pr/shop')), originOf(at('main/shop')))
  t.not(originOf(at('main/tea')), originOf(at('main/shop')))
  t.equal(originOf(at('one/shop')), originOf(at('two/shop')))
  t.not(originOf(at('one/shop')), originOf(at('three/shop')))
})

t.test('a worktree that was moved or removed while it runs is still one of its repository', async t => {
  const gone = join(folder, 'main/.git/worktrees/gone')
  mkdirSync(gone)
  writeFileSync(join(gone, 'gitdir'), `${join(folder, 'gone/.git')}\n`)
  t.equal(lostOriginOf(at('gone/shop'), at('main/shop')), originOf(at('main/shop')))
  t.equal(lostOriginOf(at('gone/shop'), at('pr/shop')), originOf(at('main/shop')), 'asked in another worktree')
  t.not(lostOriginOf(at('gone/tea'), at('main/shop')), originOf(at('main/shop')))
  writeFileSync(join(gone, 'gitdir'), '../../../../gone/.git\n') // as worktree.useRelativePaths of Git has it
  t.equal(lostOriginOf(at('gone/shop'), at('main/shop')), originOf(at('main/shop')))
  for (const path of ['elsewhere/shop', 'pr/shop']) t.equal(lostOriginOf(at(path), at('main/shop')), '', path)
})

const run = (templateFile: string, copy = ''): RunIdentity => ({
  pid: 1,
  name: 'x',
  copy,
  started: 1,
  templateFile,
  appIds: []
})

t.test('copies of a template are told from other runs', async t => {
  const of = (path: string, copy: string, ...runs: readonly RunIdentity[]): number =>
    copiesAmong(runs, {file: at(path), copy}).length
  t.equal(of('main/shop', '', run(at('pr/shop')), run(at('main/tea')), run(at('one/shop')), run('')), 1)
  t.equal(of('none/shop', '', run(at('none/shop'))), 0, 'the same file twice is one template')
  t.equal(of('none/shop', 'b', run(at('none/shop')), run(at('none/shop'), 'b'), run(at('none/shop'), 'c')), 2)
  t.equal(copiesAmong([run(at('main/shop'))], {file: '', copy: ''}).length, 0, 'a single app is no copy')
  t.equal(copiesAmong([{...run(at('pr/shop')), pid: process.pid}], {file: at('main/shop'), copy: ''}).length, 0)
})
