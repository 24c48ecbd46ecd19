import {mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('import: hostile names and values of joined files, and of servers as programs, are arguments', async t => {
  const rig = await openRig(t)
  const evil = `x'; touch ${join(rig.folder, 'touched')}; $(touch ${join(rig.folder, 'touched')}) '`
  await rig.write({
    Procfile: 'web: true\n',
    'compose.yaml': JSON.stringify({
      services: {
        [evil]: {image: 'redis'},
        web: {image: 'x', environment: {[evil]: evil}},
        cache: {image: 'redis', command: ['redis-server', '--requirepass', evil]},
        db: {image: 'postgres', environment: {POSTGRES_USER: evil}}
      }
    })
  })
  for (const more of [[], ['--check', '--timeout', '3s']]) {
    const {stderr} = await rig.run(['import', 'Procfile', 'compose.yaml', '--force', ...more])
    t.notMatch(stderr, /\n\s+at /)
    t.throws(() => mkdirSync(join(rig.folder, 'touched', 'x')), /ENOENT/, 'nothing was touched')
  }
})

t.test('import: 300 services, and a folder with 25,000 files in 2,500 folders', async t => {
  const rig = await openRig(t)
  const services = Object.fromEntries(
    Array.from({length: 300}, (_, at) => [
      `s${at}`,
      {image: `shop/s${at}`, ports: [`${10_000 + at}:80`], environment: {NEXT: `http://s${(at + 1) % 300}:80`}}
    ])
  )
  await rig.write({'many/compose.yaml': JSON.stringify({services})})
  const many = await rig.run(['import', 'many', '-o', 'many/dapr.yaml'])
  t.match(many, {code: 0, stdout: /wrote 300 apps/})
  t.match(await rig.run(['validate', 'many']), {code: 0, stdout: /300 apps/})

  for (let folder = 0; folder < 2500; folder++) {
    const path = join(rig.folder, 'deep/data', `d${folder}`)
    mkdirSync(path, {recursive: true})
    for (let file = 0; file < 10; file++) writeFileSync(join(path, `f${file}.json`), '')
  }
  await rig.write({'deep/web/package.json': '{"scripts": {"dev": "vite"}}'})
  const began = performance.now()
  const deep = await rig.run(['import', 'deep', '-o', '-'])
  t.match(deep, {
    code: 0,
    stdout: /# import: only the first 2000 folders were looked at.*[^]*appDirPath: \.\/deep\/web/
  })
  t.ok(performance.now() - began < 60_000, 'it does not look into each of them')
  t.equal(deep.stderr.includes('reading folders'), false, 'a pipe is no terminal')
  t.comment(`25,000 files: ${Math.round(performance.now() - began)} ms`)
  for (let folder = 1; folder < 2000; folder++) mkdirSync(join(rig.folder, `all/d${folder}`), {recursive: true})
  await rig.write({'all/web/package.json': '{"scripts": {"dev": "vite"}}'})
  t.notMatch(await rig.run(['import', 'all', '-o', '-']), {stdout: /only the first/}, '2000 folders are all looked at')
})
