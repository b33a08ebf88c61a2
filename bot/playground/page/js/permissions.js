// Discord's permission bits, as far as a client decides by them what to offer.

const BITS = {
  ADMINISTRATOR: 1n << 3n,
  SEND_MESSAGES: 1n << 11n,
  MANAGE_MESSAGES: 1n << 13n,
  ATTACH_FILES: 1n << 15n,
  USE_APPLICATION_COMMANDS: 1n << 31n,
};

/**
 * @param {string|undefined} bitstring decimal, as the server sends it; unknown permissions allow nothing
 * @param {keyof typeof BITS} name
 * @returns {boolean}
 */
export function allows(bitstring, name) {
  const bits = BigInt(bitstring ?? "0");
  return (bits & BITS.ADMINISTRATOR) !== 0n || (bits & BITS[name]) !== 0n;
}

export const EPHEMERAL = 1 << 6;
export const LOADING = 1 << 7;
export const COMPONENTS_V2 = 1 << 15;
