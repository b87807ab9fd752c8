// The site's search runs in a Worker, which browsers refuse to pages that are opened from
// a folder. There, a hidden frame does its work: the part of Worker that search uses.
// Its name keeps the builder from asking a network for such a thing.
if (location.protocol === "file:") {
  // As from a Worker: a copy, after what is being done now.
  const deliver = (data, onmessage) => {
    const copy = structuredClone(data);
    setTimeout(() => onmessage({ data: copy }));
  };
  window.Worker = class {
    constructor(script) {
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.documentElement.append(this.frame);
      const inside = this.frame.contentWindow;
      inside.postMessage = (data) => deliver(data, (message) => this.onmessage?.(message));
      this.ready = new Promise((resolve, reject) => {
        const tag = inside.document.createElement("script");
        tag.src = new URL(script, location.href).href;
        tag.onload = () => resolve(inside);
        tag.onerror = reject;
        inside.document.head.append(tag);
      });
      this.ready.catch((error) => this.onerror?.(error));
    }
    postMessage(data) {
      this.ready.then((inside) => deliver(data, inside.onmessage), () => {});
    }
    terminate() {
      this.frame.remove();
    }
  };
}
