import t from 'tap'
import {Instances} from '../../../../src/proxy/gateway/instances.ts'
import type {Callee} from '../../../../src/proxy/gateway/local-apps.ts'
import {Versions, type Versioned} from '../../../../src/proxy/gateway/versions.ts'

const runtime = (id: string, version: string) => ({id, plan: {version}}) as Versioned & Callee

t.test('the first of an id is main, the others are its shadows, and each has a name of its own', async t => {
  const [one, two, three] = [runtime('a', '2.0.0'), runtime('a', '1.0.0'), runtime('b', '0.0.0')]
  const versions = new Versions([one, two, three])
  t.equal(versions.main('a'), one)
  t.same(
    versions.shadows('a').map(shadow => shadow.runtime),
    [two]
  )
  t.same(versions.shadows('b'), [])
  t.same(versions.find('a'), {runtime: one, callee: one, isById: true})
  t.same(versions.find('a_1.0.0'), {runtime: two, callee: two, isById: false})
  t.same(versions.find('a_2.0.0'), {runtime: one, callee: one, isById: false})
  t.same(versions.find('b_0.0.0'), {runtime: three, callee: three, isById: false})
  t.equal(versions.find('a_3.0.0'), undefined)
  t.equal(versions.main('a_1.0.0'), undefined, 'a name with a version is no id')
  t.ok(versions.isMain(one))
  t.notOk(versions.isMain(two))
})

t.test('another version is made main, and stays it until it leaves', async t => {
  const [one, two] = [runtime('a', '1.0.0'), runtime('a', '2.0.0')]
  const versions = new Versions([one, two])
  versions.assign('a', '2.0.0')
  t.equal(versions.main('a'), two)
  t.same(
    versions.shadows('a').map(shadow => shadow.runtime),
    [one]
  )
  versions.assign('a', '9.9.9')
  t.equal(versions.main('a'), two, 'one that is not there changes nothing')
  const three = runtime('a', '3.0.0')
  versions.add(three)
  t.equal(versions.main('a'), two)
  versions.arrange([one, three])
  versions.remove(two)
  t.equal(versions.main('a'), one)
  versions.arrange([one, three, two])
  t.equal(versions.main('a'), one, 'one that comes again was not assigned')
  versions.arrange([])
  versions.remove(one)
  versions.remove(three)
  t.equal(versions.find('a'), undefined)
  t.same(versions.shadows('a'), [])
})

t.test('a version that is closed, and opened again, stays what it was: no other one answers meanwhile', async t => {
  const [one, two] = [runtime('a', '1.0.0'), runtime('a', '2.0.0')]
  const versions = new Versions([one, two])
  versions.remove(one)
  t.equal(versions.main('a'), undefined)
  t.equal(versions.callee('a'), undefined)
  t.equal(versions.find('a_1.0.0'), undefined)
  t.same(versions.meant('a_1.0.0'), {id: 'a', version: '1.0.0', isById: false})
  t.same(versions.meant('a'), {id: 'a', version: '1.0.0', isById: true})
  t.ok(versions.isMain(one))
  t.same(
    versions.shadows('a').map(shadow => shadow.runtime),
    [two]
  )
  t.same(versions.known, [one, two])
  const again = runtime('a', '1.0.0')
  versions.add(again)
  versions.arrange([again, two])
  t.equal(versions.main('a'), again)
  t.same(versions.known, [again, two])

  versions.remove(two)
  versions.assign('a', '2.0.0')
  t.equal(versions.main('a'), undefined, 'it may be assigned while it is closed')
  const [other] = [runtime('a', '2.0.0')]
  versions.add(other)
  t.equal(versions.main('a'), other)
})

t.test('apps of one id and one version are instances: they answer together, not as shadows of each other', async t => {
  const [one, two, old] = [runtime('a', '2.0.0'), runtime('a', '2.0.0'), runtime('a', '1.0.0')]
  const versions = new Versions([one, two, old])
  t.equal(versions.main('a'), one)
  t.ok(versions.isMain(two))
  const callee = versions.callee('a')
  t.ok(callee instanceof Instances && callee.callees.length === 2)
  t.equal(versions.callee('nobody'), undefined)
  t.same(
    versions.shadows('a').map(shadow => shadow.runtime),
    [old],
    'a shadow gets one copy, however many instances'
  )
  versions.assign('a', '1.0.0')
  t.equal(versions.callee('a'), old)
  t.equal(versions.shadows('a').length, 1)
  versions.assign('a', '2.0.0')
  versions.arrange([two, old])
  versions.remove(one)
  t.equal(versions.callee('a'), two, 'what stays answers for the id')
  t.ok(versions.isMain(two))
})
