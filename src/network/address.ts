/** One address of one interface, as the kernel reports it inside a network namespace. */
export interface Address {
  /** Textual, without prefix: `10.2.1.1`, `fd00::1`. */
  readonly ip: string;
  readonly prefixLength: number;
  readonly family: 4 | 6;
  /** `ethwe`, `eth0`, …; empty when the source does not name it. */
  readonly interface: string;
}
