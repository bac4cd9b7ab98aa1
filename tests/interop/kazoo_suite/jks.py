"""Stands in for pyjks, which kazoo's harness imports to write key stores for a TLS port that no test of ours
uses: the stores are left empty."""


class TrustedCertEntry:
    @classmethod
    def new(cls, *_):
        return cls()


class PrivateKeyEntry(TrustedCertEntry):
    pass


class KeyStore:
    @classmethod
    def new(cls, *_):
        return cls()

    def save(self, path, _password):
        open(path, "wb").close()
