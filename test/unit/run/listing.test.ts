import t from 'tap'
import {listingOf, type Listed} from '../../../src/run/listing.ts'

t.test('the calls of a shadow are the copies for it, and not those of the main version', async t => {
  const all = ['1.0.0', '2.0.0'].map(version => ({
    id: 'hello',
    plan: {version, sidecar: {listenAddresses: ['127.0.0.1']}},
    listing: () => ({id: 'hello', version})
  }))
  const recent = new Map([
    ['hello', {calls: 7, failed: 5, p95Ms: 1}],
    ['hello@2.0.0', {calls: 3, failed: 0, p95Ms: 1}]
  ])
  const listed = {
    plan: {file: '', name: ''},
    name: '',
    run: '',
    startedAt: 0,
    isTemplateFollowed: false,
    apps: {all, leftOut: () => []},
    edges: {recentCalls: () => recent},
    isMain: (runtime: unknown) => runtime === all[0],
    sidecarOf: () => undefined,
    waitingWork: () => 0,
    nameOf: () => ({})
  } as unknown as Listed
  t.match(listingOf(listed).apps, [
    {version: '1.0.0', isMain: true, recent: {calls: 7, failed: 5}},
    {version: '2.0.0', isMain: false, recent: {calls: 3, failed: 0}}
  ])
})
