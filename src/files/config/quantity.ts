/** Powers of ten and of two behind a Kubernetes quantity. */
const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60
}

/** Maximum length: no number of bytes needs more, and a regular expression would take quadratic time for a long text. */
const MAX_LENGTH = 64

const QUANTITY = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/
const EXPONENT = /^[eE]([-+]?[0-9]+)$/

/** Mistakes in a quantity, in the words of `ParseQuantity` in Kubernetes' apimachinery. */
const WRONG_FORM = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const WRONG_SUFFIX = "unable to parse quantity's suffix"

/** Returns the bytes of a Kubernetes quantity (`4Mi`, `4M`, `1e3`), rounded up to whole ones, at most 2⁶³; or Kubernetes' text for its mistake. */
export function quantityBytes(quantity: string): number | string {
  if (quantity.length > MAX_LENGTH) return WRONG_FORM
  const [matched, sign = '', whole = '', fraction = '', suffix = ''] = QUANTITY.exec(quantity) ?? []
  if (matched === undefined || matched === '') return WRONG_FORM
  const [, exponent] = EXPONENT.exec(suffix) ?? []
  const factor = exponent === undefined ? SUFFIXES[suffix] : 10 ** Number(exponent)
  if (factor === undefined) return WRONG_SUFFIX
  const amount = Number(`${whole || '0'}.${fraction || '0'}`)
  // `Infinity * 0` is NaN
  const size = amount === 0 ? 0 : Math.min(Math.ceil(amount * factor), 2 ** 63)
  return sign === '-' ? 0 - size : size
}
