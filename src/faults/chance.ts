/**
 * A number from 0 up to 1 for the n-th call of a seed: the same one in every run. Mixed as in MurmurHash3 (public domain),
 * so that neighbouring seeds and calls have nothing in common.
 */
export function chance(seed: number, n: number): number {
  return mixed(mixed(seed ^ 0x9e_37_79_b9) ^ mixed(n)) / 2 ** 32
}

function mixed(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85_eb_ca_6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2_b2_ae_35)
  return (bits ^ (bits >>> 16)) >>> 0
}
