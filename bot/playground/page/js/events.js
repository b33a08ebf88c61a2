// The live line from the server: one WebSocket that comes back by itself.

const FIRST_DELAY_MS = 400;
const LONGEST_DELAY_MS = 10_000;

export class EventStream {
  /**
   * @param {string} as id of the person
   * @param {{onEvent: (name: string, data: any) => void, onOpen: (again: boolean) => void, onLost: () => void}} hooks
   */
  constructor(as, hooks) {
    this.as = as;
    this.hooks = hooks;
    this.failures = 0;
    this.openedBefore = false;
    this.closed = false;
    this.connect();
    this.retryNow = () => {
      if (!this.closed && this.timer) this.connect();
    };
    window.addEventListener("online", this.retryNow);
    document.addEventListener("visibilitychange", this.retryNow);
  }

  connect() {
    clearTimeout(this.timer);
    this.timer = null;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/client/events?as=${encodeURIComponent(this.as)}`);
    this.socket.addEventListener("open", () => {
      this.failures = 0;
      this.hooks.onOpen(this.openedBefore);
      this.openedBefore = true;
    });
    this.socket.addEventListener("message", (frame) => this.receive(frame));
    this.socket.addEventListener("close", () => this.lost());
  }

  receive(frame) {
    if (this.closed) return;
    const { t: name, d: data } = JSON.parse(frame.data);
    this.hooks.onEvent(name, data ?? {});
  }

  lost() {
    if (this.closed) return;
    this.hooks.onLost();
    const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.failures);
    this.failures += 1;
    this.timer = setTimeout(() => this.connect(), ceiling * (0.5 + Math.random() / 2));
  }

  /** Leave for good: no reconnection follows. */
  close() {
    this.closed = true;
    clearTimeout(this.timer);
    window.removeEventListener("online", this.retryNow);
    document.removeEventListener("visibilitychange", this.retryNow);
    this.socket.close();
  }
}
