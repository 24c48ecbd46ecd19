/** The property that limits the use of a binding (Dapr: pkg/runtime/processor/binding). */
export const DIRECTION = 'direction'

/** Whether `direction` has a word; in none there is every one. */
export const isForDirection = (direction: string, word: 'input' | 'output'): boolean =>
  direction === '' || namesDirection(direction, word)

/** Whether `direction` names a word. */
export const namesDirection = (direction: string, word: 'input' | 'output'): boolean =>
  direction.split(',').some(each => each.trim().toLowerCase() === word)
