import {mkdirSync, symlinkSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openRig} from '../rig/rig.ts'

t.test('import: large files, cycles and other encodings are messages', async t => {
  const rig = await openRig(t)
  const at = (folder: string, name: string, content: string | Buffer): void => {
    mkdirSync(join(rig.folder, folder), {recursive: true})
    writeFileSync(join(rig.folder, folder, name), content)
  }
  const large = `services: {a: {image: x, command: "${'y'.repeat(10 * 2 ** 20)}"}}\n`
  const text = 'services: {a: {image: "größe"}}\n'
  at('large', 'compose.yaml', large)
  at('large-procfile', 'Procfile', `web: ${large}`)
  at('latin', 'compose.yaml', Buffer.from(text, 'latin1'))
  at('utf16', 'compose.yaml', Buffer.from(`\uFEFF${text}`, 'utf16le'))
  at('include', 'compose.yaml', 'include: [other.yaml]\nservices: {a: {image: x}}\n')
  at('include', 'other.yaml', 'include: [compose.yaml]\n')
  at('extends', 'compose.yaml', 'services: {a: {image: x, extends: b}, b: {image: y, extends: {service: a}}}\n')
  at('nul', 'Procfile', 'web: a\0b\n')
  const refused = {
    large: /cannot import large\/compose\.yaml: it is larger than 1 MiB/,
    'large-procfile': /cannot import large-procfile\/Procfile: it is larger than 1 MiB/,
    latin: /cannot import latin\/compose\.yaml: it is not UTF-8/,
    include: /cannot import include\/compose\.yaml: it includes itself\ninclude\/compose\.yaml:1:1\n/,
    nul: /cannot import nul\/Procfile: it contains the character NUL/
  }
  for (const [folder, message] of Object.entries(refused)) {
    const {code, stdout, stderr} = await rig.run(['import', folder, '-o', '-'])
    t.match({code, stdout, stderr}, {code: 1, stdout: '', stderr: message}, folder)
    t.notMatch(stderr, /\n\s+at /)
  }
  t.match(await rig.run(['import', 'utf16', '-o', '-']), {code: 0, stdout: /größe/})
  t.match(await rig.run(['import', 'extends', '-o', '-']), {code: 0, stdout: /# import: extends: there is no service/})
})

t.test('import: links that lead out of a folder, or around in it, are not followed', async t => {
  const rig = await openRig(t)
  await rig.write({
    'out/package.json': '{"scripts": {"dev": "vite"}}',
    'shop/web/package.json': '{"scripts": {"dev": "vite"}}'
  })
  symlinkSync(join(rig.folder, 'out'), join(rig.folder, 'shop/linked'))
  symlinkSync(join(rig.folder, 'shop'), join(rig.folder, 'shop/web/around'))
  const {code, stdout} = await rig.run(['import', 'shop', '-o', '-'])
  t.equal(code, 0)
  t.equal(stdout.match(/appID:/g)?.length, 1)
  t.notMatch(stdout, /linked|around/)
})

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
