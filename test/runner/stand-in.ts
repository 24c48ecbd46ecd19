/**
 * What `import t from 'tap'` gives in a process that runs several test files: the test that stands for the file which is
 * being run. Each file has its own hooks, plan and teardown, as if it were alone.
 */
import root, {type Test} from 'tap'

let current: Test = root

/** From now on tests belong to this one. */
export const enter = (test: Test): void => void (current = test)

function bound(key: PropertyKey): unknown {
  const value: unknown = Reflect.get(current, key)
  return typeof value === 'function' ? value.bind(current) : value
}

const standIn: Test = new Proxy(root, {
  get: (_, key) => bound(key),
  set: (_, key, value) => Reflect.set(current, key, value)
})

export default standIn

/** Some files import this one by name. */
export const test = (...args: [name: string, body: (t: Test) => unknown]): unknown => current.test(...args)
