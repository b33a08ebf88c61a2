// How the things of the guild are called and drawn: channels, people, applications.

/** The part of the app that answers questions about the guild. */
export class World {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
  }

  /** @returns {{user: any, member?: any, label?: string}[]} the people and the applications' users */
  everyone() {
    const all = new Map(this.store.people);
    for (const channel of this.store.channels.values())
      for (const user of channel.recipients ?? [])
        if (!all.has(user.id) && user.id !== this.store.me.id)
          all.set(user.id, { user, label: user.bot ? "app" : "member" });
    for (const application of this.store.applications)
      if (!all.has(application.id))
        all.set(application.id, { user: { id: application.id, username: application.name, bot: true }, label: "app" });
    return [...all.values()];
  }

  /** @returns {any} the user of the first application, or null */
  bot() {
    return this.everyone().find(({ user }) => user.bot)?.user ?? null;
  }

  /** @param {string} id @returns {{user: any}|undefined} */
  botById(id) {
    return this.everyone().find(({ user }) => user.id === id);
  }

  /** @param {any} channel @returns {any} the other one of a direct message */
  recipientOf(channel) {
    return channel.recipients?.find((user) => user.id !== this.store.me.id) ?? this.bot();
  }

  /** @param {any} channel @returns {string} "#art", or who a direct message is with */
  channelTitle(channel) {
    return channel.type === 1 ? this.store.nameOf(this.recipientOf(channel)) : `#${channel.name}`;
  }

  /** @param {any} channel @returns {string} an icon's name */
  channelIcon(channel) {
    if (channel.type === 1) return "chat";
    const hidden = channel.permission_overwrites?.some(
      (one) => one.id === this.store.guild.id && (BigInt(one.deny ?? "0") & (1n << 10n)) !== 0n,
    );
    return hidden ? "lock" : "hash";
  }

  /** @param {any} user @returns {string} a class for the colour of their name */
  roleClass(user) {
    if (user?.bot) return "name-app";
    return { owner: "name-owner", moderator: "name-moderator" }[this.store.people.get(user?.id)?.label] ?? "";
  }
}
