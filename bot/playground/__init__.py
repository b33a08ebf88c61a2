"""A local Discord: REST, gateway, CDN and a chat page that an unmodified client talks to."""
