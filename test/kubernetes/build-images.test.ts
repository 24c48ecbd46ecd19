/** `run -k --build` with builders that are scripts: what they are asked for, and what follows when they fail. */
import {execFileSync} from 'node:child_process'
import {chmodSync, mkdirSync, readFileSync, symlinkSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import t, {type Test} from 'tap'
import type {Rig} from '../rig/rig.ts'
import {Cluster, skip, type Shop as ClusterShop} from './rig/cluster.ts'

const DIGITS = '0123456789ab'
/** Writes what it is asked for into a file, and the id of an image where that is wanted. */
const GOOD = `#!/bin/sh
echo "$(basename "$0") $*" >> "$RIG_TOOLS"
while [ $# -gt 0 ]; do [ "$1" = --iidfile ] && echo sha256:${DIGITS}cdef > "$2"; shift; done
`
const failing = (verb: string, words: string): string =>
  GOOD.replace('while', `[ "$1" = ${verb} ] && { echo "${words}" >&2; exit 1; }\nwhile`)

interface Shop {
  readonly rig: Rig
  readonly cluster: ClusterShop
  readonly env: Readonly<Record<string, string>>
  readonly tools: () => readonly string[]
  readonly install: (scripts: Readonly<Record<string, string>>) => Promise<void>
}

async function openShop(t: Test, cluster: Cluster, {context = 'kind-fake'} = {}): Promise<Shop> {
  const shop = await cluster.shop(t, {context})
  const {rig} = shop
  await rig.write({tools: '', 'stock/Dockerfile': 'FROM scratch\n'})
  await rig.template([{appID: 'stock', command: undefined}], {}, {name: 'shop'})
  const tools = join(rig.folder, 'tools')
  mkdirSync(join(rig.folder, 'bin'))
  symlinkSync(execFileSync('which', ['kubectl'], {encoding: 'utf8'}).trim(), join(rig.folder, 'bin', 'kubectl'))
  return {
    rig,
    cluster: shop,
    // of the system's programs only what the scripts need
    env: {...shop.env, PATH: `${join(rig.folder, 'bin')}:/nowhere`, RIG_TOOLS: tools},
    tools: () => readFileSync(tools, 'utf8').trim().split('\n'),
    async install(scripts) {
      for (const [name, text] of Object.entries(scripts)) {
        await rig.write({[`bin/${name}`]: text.replace('basename', '/usr/bin/basename')})
        chmodSync(join(rig.folder, 'bin', name), 0o755)
      }
    }
  }
}

t.test('images that a run builds', {skip}, async t => {
  const cluster = await Cluster.open(t)

  t.test('the first builder that answers builds, and the image goes into the cluster', async t => {
    const shop = await openShop(t, cluster)
    await shop.install({docker: failing('info', 'Cannot connect to the Docker daemon'), podman: GOOD, kind: GOOD})
    const run = shop.rig.pillion(['run', '-k', '-f', '.', '--build'], {env: shop.env})
    await run.waitForLine('1 app ready')
    const {folder} = shop.rig
    const image = `pillion/stock:${DIGITS}`
    t.match(shop.tools(), [
      'docker info',
      'podman info',
      new RegExp(`^podman build --iidfile \\S+ -f ${folder}/stock/Dockerfile ${folder}/stock$`),
      `podman tag ${DIGITS} ${image}`,
      `kind load docker-image ${image} --name fake`
    ])
    t.match(JSON.stringify(await shop.cluster.all('apps/v1/deployments')), `"image":"${image}",`)
    t.same(await run.end('SIGINT'), {code: 0, signal: null})
  })

  t.test('a registry gets the image by its name there', async t => {
    const shop = await openShop(t, cluster, {context: 'production'})
    await shop.install({docker: GOOD})
    const run = shop.rig.pillion(['run', '-k', '-f', '.', '--build', '--registry', 'registry.test/team/'], {
      env: shop.env
    })
    await run.waitForLine('1 app ready')
    t.same(shop.tools().slice(-2), [
      `docker tag ${DIGITS} registry.test/team/stock:${DIGITS}`,
      `docker push registry.test/team/stock:${DIGITS}`
    ])
    t.same(await run.end('SIGINT'), {code: 0, signal: null})
  })

  t.test('what fails is told in the words of the builder, and nothing is made', async t => {
    for (const {scripts, message, context, args = []} of [
      {
        scripts: {docker: failing('info', 'Cannot connect to the Docker daemon')},
        message:
          /no program to build images was found\n {2}docker: Cannot connect to the Docker daemon\n {2}podman: not installed\n {2}nerdctl: not installed\nStart one of them/
      },
      {
        scripts: {docker: failing('build', 'COPY failed: no such file'), kind: GOOD},
        message: /the image of "stock" cannot be built\nCOPY failed: no such file\nNothing was deployed\./
      },
      {scripts: {docker: GOOD}, message: /pillion\/stock:\w+ does not get to the cluster\nkind is not installed\n/},
      {
        scripts: {docker: failing('push', 'denied: requested access')},
        message: /registry\.test\/stock:\w+ does not get to the cluster\ndenied: requested access\n/,
        args: ['--registry', 'registry.test']
      },
      {
        scripts: {docker: GOOD},
        context: 'production',
        message: /built images cannot be loaded into the cluster of the context "production"\nAdd --registry HOST\/PATH/
      }
    ] as const) {
      const shop = await openShop(t, cluster, {context: context ?? 'kind-fake'})
      await shop.install(scripts)
      const {code, stderr} = await shop.rig.run(['run', '-k', '-f', '.', '--build', ...args], {env: shop.env})
      t.equal(code, 1)
      t.match(stderr, message)
      t.same(await shop.cluster.left(), [])
    }
  })

  t.test('without --build a Dockerfile is named, and none is invented', async t => {
    const shop = await openShop(t, cluster)
    const without = await shop.rig.run(['run', '-k', '-f', '.'], {env: shop.env})
    t.match(without, {code: 1, stderr: /or build its Dockerfile with run -k --build/})
    await shop.rig.template([{appID: 'other', command: undefined}])
    const none = await shop.rig.run(['run', '-k', '-f', '.', '--build'], {env: shop.env})
    t.equal(none.code, 1)
    t.match(none.stderr, /write containerImage: the image that contains the app\n/)
  })

  t.test('a signal while a builder is asked whether it answers is no lack of builders', async t => {
    const shop = await openShop(t, cluster)
    await shop.install({docker: '#!/bin/sh\necho "docker $*" >> "$RIG_TOOLS"\nexec /bin/sleep 60\n'})
    const run = shop.rig.pillion(['run', '-k', '-f', '.', '--build'], {env: shop.env})
    while (shop.tools()[0] !== 'docker info') await sleep(20)
    t.same(await run.end('SIGINT'), {code: 1, signal: null})
    t.match(run.stderr.text, 'the build was stopped; nothing was deployed')
  })
})
