import {join} from 'node:path'
import t from 'tap'
import type {WatchPlan} from '../../../src/model/plan.ts'
import {matchesNothing, watchFilter, type FilesAround, type WatchFilter} from '../../../src/model/watch-filter.ts'

const FOLDER = '/shop/api'
const NONE: FilesAround = {namesIn: () => [], isGitignored: () => false}

/** A filter that takes paths relative to the app's folder. */
function filterOf(plan: Partial<WatchPlan>, around: FilesAround = NONE): WatchFilter {
  const filter = watchFilter({paths: ['**'], ignore: [], honoursGitignore: false, ...plan}, FOLDER, around)
  return {
    roots: filter.roots,
    isPruned: path => filter.isPruned(join(FOLDER, path)),
    counts: path => filter.counts(join(FOLDER, path))
  }
}

const all = filterOf({})

t.test('what no program reads as its code never counts', async t => {
  for (const folder of ['.git', 'node_modules', '.dapr', '__pycache__', '.venv', 'target', 'a/b/node_modules'])
    t.ok(all.isPruned(folder), folder)
  for (const path of [
    ...'shop.db shop.db-journal shop.db-wal shop.sqlite shop.sqlite3-shm dump.rdb'.split(' '),
    ...'data/appendonly.aof.1.incr.aof a/out.log .app.js.swp'.split(' '),
    'app.js~',
    '4913',
    '.#app.js',
    '#app.js#',
    'a.js___jb_tmp___',
    '.~lock.a.ods#',
    'vite.config.ts.timestamp-1700000000000-0a1b2c3d4e5f6.mjs'
  ])
    t.notOk(all.counts(path), path)
})

t.test('watch: true means every other file, dotfiles too', async t => {
  for (const path of ['app.js', 'src/deep/app.py', '.env', '.config/a.json', 'bin/tool.js', 'logs.txt', 'targets.txt'])
    t.ok(all.counts(path), path)
  for (const folder of ['src', 'bin', 'obj', '.config', 'targets']) t.notOk(all.isPruned(folder), folder)
})

const names = (folder: string): readonly string[] =>
  folder === join(FOLDER, 'net') ? ['net.csproj', 'bin'] : ['package.json']

t.test('the data folder of PostgreSQL is left alone', async t => {
  const filter = filterOf({}, {...NONE, namesIn: path => (path.endsWith('/pg') ? ['PG_VERSION', 'base'] : [])})
  t.ok(filter.isPruned('data/pg'))
  t.notOk(filter.isPruned('data'))
})

t.test('bin and obj beside a .NET project hold what is built', async t => {
  const filter = filterOf({}, {...NONE, namesIn: names})
  t.ok(filter.isPruned('net/bin'))
  t.ok(filter.isPruned('net/obj'))
  t.notOk(filter.isPruned('bin'))
})

t.test('build beside a Gradle project holds what is built', async t => {
  const gradle = filterOf({}, {...NONE, namesIn: () => ['build.gradle.kts', 'build']})
  for (const folder of ['build', '.gradle', '.next', '.svelte-kit', '.pytest_cache'])
    t.ok(gradle.isPruned(folder), folder)
  t.notOk(filterOf({}).isPruned('build'))
})

t.test('a glob that names such a folder wins, for what it names', async t => {
  const maven = filterOf({paths: ['target/*.jar', 'src/**', '**/.venv/made/*.py']})
  for (const folder of ['target', 'src/a/.venv', '.venv/made']) t.notOk(maven.isPruned(folder), folder)
  for (const path of ['target/shop.jar', 'src/App.java', 'src/target', 'a/.venv/made/x.py'])
    t.ok(maven.counts(path), path)
  for (const folder of ['target/classes', 'src/target', 'src/a/.venv/lib', 'a/.venv/made/b'])
    t.ok(maven.isPruned(folder), folder)
  t.notOk(maven.counts('src/target/shop.jar'))
  t.notOk(filterOf({paths: ['target/*.{jar,log}']}).counts('target/shop.log'))

  const all = filterOf({paths: ['**', 'target/*.jar', '../node_modules']})
  t.notOk(all.isPruned('target'))
  t.ok(all.counts('target/shop.jar'))
  t.notOk(all.counts('target/Shop.class'), 'the other glob does not name it')
  t.ok(all.isPruned('target/classes'))
  t.ok(all.isPruned('node_modules'), 'it is the one further up that is named')
  t.ok(all.counts('../node_modules/x/index.js'))

  const net = filterOf({paths: ['net/bin/*.dll', '**/*.cs']}, {...NONE, namesIn: names})
  t.notOk(net.isPruned('net/bin'))
  t.ok(net.counts('net/bin/a.dll'))
  t.notOk(net.counts('net/bin/a.cs'))
  t.ok(net.isPruned('net/obj'))
})

t.test('globs start at the folder of the app; one that names a folder means all in it', async t => {
  const filter = filterOf({paths: ['src/**/*.js', './lib/', '*.json'], ignore: ['lib/data', '**/*.test.js']})
  for (const path of ['src/a.js', 'src/deep/a.js', 'lib/x.bin', 'package.json']) t.ok(filter.counts(path), path)
  for (const path of ['a.js', 'src/a.css', 'lib/data/x', 'src/a.test.js', 'src/package.json'])
    t.notOk(filter.counts(path), path)
})

t.test('a folder in which nothing can match is not looked into', async t => {
  const filter = filterOf({paths: ['src/*/code/**', 'lib'], ignore: ['lib/data/**']})
  for (const folder of ['src', 'src/a', 'src/a/code', 'src/a/code/b', 'lib', 'lib/x'])
    t.notOk(filter.isPruned(folder), folder)
  for (const folder of ['test', 'src/a/other', 'lib/data']) t.ok(filter.isPruned(folder), folder)
})

t.test('a glob may leave the folder: its folder is watched, too', async t => {
  const filter = filterOf({paths: ['src/**', '../shared/**/*.js', '../shared/data']})
  t.same(filter.roots, [FOLDER, '/shop/shared'])
  t.ok(filter.counts('../shared/a.js'))
  t.ok(filter.counts('../shared/data/x'))
  t.notOk(filter.counts('../shared/a.css'))
  t.notOk(filter.counts('a.js'))
  t.notOk(filter.isPruned('../shared/deep'))
  t.same(filterOf({paths: ['../**']}).roots, ['/shop'])
  t.ok(filterOf({paths: ['../**']}).counts('a.js'), 'the folder of the app is inside')
})

t.test('.gitignore counts where the plan honours it, and nowhere else', async t => {
  const around = {...NONE, isGitignored: (path: string) => path.includes('/dist')}
  const honoured = filterOf({honoursGitignore: true}, around)
  t.ok(honoured.isPruned('dist'))
  t.notOk(honoured.counts('dist.js'))
  t.ok(filterOf({paths: ['dist/**']}, around).counts('dist/a.js'))
})

const isEmpty = (glob: string, ignore: readonly string[] = []): boolean =>
  matchesNothing(glob, {paths: [], ignore, honoursGitignore: false}, FOLDER)

t.test('globs that can match nothing are recognised, and no others', async t => {
  for (const glob of ['**/*.log', '*.{db,log}', '*~', '.[g]it/**', 'target/*.log', 'node_modules/[.]git/*'])
    t.ok(isEmpty(glob), glob)
  for (const glob of [
    'src/**',
    '**',
    '.',
    '*.{log,js}',
    '../shared/**',
    'x[ab]?.[!a]*',
    '.env',
    'src',
    'node_modules',
    'a/target/**/*.js'
  ])
    t.notOk(isEmpty(glob), glob)
  t.ok(isEmpty('src/**', ['src']))
  t.ok(isEmpty('src/**', ['**']))
  t.notOk(isEmpty('src/**', ['src/*.test.js']))
})

t.test('the folders of other apps are theirs', async t => {
  const filter = filterOf({others: [join(FOLDER, 'web')]})
  t.ok(filter.isPruned('web'))
  t.notOk(filter.counts('web/a.js'))
  t.ok(filter.counts('website.js'))
  t.notOk(filter.isPruned('website'))
})
